// The API, with an ingress, and the worker, without one: the same image, each with its own identity.

param location string
param environmentId string
param apiName string
param workerName string
param image string
param registryServer string
param apiIdentityId string
param apiClientId string
param workerIdentityId string
param workerClientId string
param blobEndpoint string
param accountName string
param modelUrl string
@secure()
param apiKey string
param apiKeySetOn string
param apiMinReplicas int
param apiMaxReplicas int
param workerMinReplicas int
param workerMaxReplicas int
param filesPerWorker int
param otlpEndpoint string

var operationsPort = 9100

var traces = empty(otlpEndpoint)
  ? []
  : [
      {
        name: 'OTEL_EXPORTER_OTLP_ENDPOINT'
        value: otlpEndpoint
      }
    ]

// Start-up takes long only while the model cannot be had: the program waits 60 s for it, and says
// why it gives up; then the replica is begun anew.
var probes = [
  {
    type: 'Startup'
    httpGet: {
      path: '/readyz'
      port: operationsPort
    }
    periodSeconds: 7
    timeoutSeconds: 2
    failureThreshold: 10
  }
  {
    type: 'Liveness'
    httpGet: {
      path: '/livez'
      port: operationsPort
    }
    periodSeconds: 10
    timeoutSeconds: 2
    failureThreshold: 3
  }
  {
    type: 'Readiness'
    httpGet: {
      path: '/readyz'
      port: operationsPort
    }
    periodSeconds: 5
    timeoutSeconds: 2
    failureThreshold: 3
  }
]

resource api 'Microsoft.App/containerApps@2025-01-01' = {
  name: apiName
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${apiIdentityId}': {}
    }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: 8000
        transport: 'auto'
        allowInsecure: false
      }
      registries: [
        {
          server: registryServer
          identity: apiIdentityId
        }
      ]
      secrets: [
        {
          name: 'api-key'
          value: apiKey
        }
      ]
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'api'
          image: image
          args: ['serve', '--model', modelUrl]
          env: concat(
            [
              {
                name: 'AZURE_CLIENT_ID'
                value: apiClientId
              }
              {
                name: 'DROPSCORE_API_KEY'
                secretRef: 'api-key'
              }
              {
                // Told to end, a replica goes on answering until the ingress has noticed; then requests under way have 10 s.
                name: 'DROPSCORE_STOP_DELAY_S'
                value: '5'
              }
              {
                // A changed secret alone reaches no running replica.
                name: 'API_KEY_SET_ON'
                value: apiKeySetOn
              }
              {
                name: 'OTEL_SERVICE_NAME'
                value: apiName
              }
            ],
            traces
          )
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          probes: probes
        }
      ]
      scale: {
        minReplicas: apiMinReplicas
        maxReplicas: apiMaxReplicas
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                concurrentRequests: '100'
              }
            }
          }
        ]
      }
    }
  }
}

resource worker 'Microsoft.App/containerApps@2025-01-01' = {
  name: workerName
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${workerIdentityId}': {}
    }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registryServer
          identity: workerIdentityId
        }
      ]
    }
    template: {
      // Files under way have 25 s (--drain-s); then they are given back to the queue.
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'worker'
          image: image
          args: [
            'watch'
            '--input'
            '${blobEndpoint}input-data'
            '--output'
            '${blobEndpoint}output-results'
            '--queue'
            'scoring'
            '--model'
            modelUrl
          ]
          env: concat(
            [
              {
                name: 'AZURE_CLIENT_ID'
                value: workerClientId
              }
              {
                name: 'OTEL_SERVICE_NAME'
                value: workerName
              }
            ],
            traces
          )
          resources: {
            cpu: json('1.0')
            memory: '2Gi'
          }
          probes: probes
        }
      ]
      scale: {
        minReplicas: workerMinReplicas
        maxReplicas: workerMaxReplicas
        pollingInterval: 10
        cooldownPeriod: 120
        rules: [
          {
            name: 'uploads'
            azureQueue: {
              accountName: accountName
              queueName: 'scoring'
              queueLength: filesPerWorker
              identity: workerIdentityId
            }
          }
        ]
      }
    }
  }
}

output apiUrl string = 'https://${api.properties.configuration.ingress.fqdn}'

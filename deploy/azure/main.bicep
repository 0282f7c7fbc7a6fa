// All of dropscore on Azure, in one resource group. README.md explains it; deploy.sh deploys it, in two stages.

targetScope = 'resourceGroup'

@description('Region of everything. It must offer Container Apps and the Flex Consumption plan of Functions.')
param location string = 'switzerlandnorth'

@description('Begins every name: small letters and digits, a letter first.')
@minLength(3)
@maxLength(11)
param prefix string = 'dropscore'

@description('Ends the names that no other customer of Azure may have: small letters and digits.')
@minLength(4)
@maxLength(8)
param suffix string = take(uniqueString(resourceGroup().id), 6)

@description('base: all that needs no image. all: the two container apps and the event subscription too.')
@allowed(['base', 'all'])
param stage string = 'all'

@description('Who scores uploads: the worker on Container Apps, or the function. Both are made; one is told of uploads.')
@allowed(['worker', 'function'])
param trigger string = 'worker'

@description('The image of API and worker, by its digest: REGISTRY/dropscore@sha256:... Needed in stage all.')
param image string = ''

@description('What clients of the API must send as X-API-Key. Several, separated by commas, are all good.')
@secure()
@minLength(16)
param apiKey string

@description('When the key was set. A new value starts a new revision of the API, which has the new key.')
@minLength(1)
param apiKeySetOn string = 'unknown'

@description('Replicas of the API: at least.')
@minValue(0)
@maxValue(100)
param apiMinReplicas int = 1

@description('Replicas of the API: at most.')
@minValue(1)
@maxValue(300)
param apiMaxReplicas int = 3

@description('Replicas of the worker while no upload waits. With 0, lost events are looked for only when the next upload comes.')
@minValue(0)
@maxValue(100)
param workerMinReplicas int = 0

@description('Replicas of the worker: at most.')
@minValue(1)
@maxValue(300)
param workerMaxReplicas int = 10

@description('One more worker for as many messages in the queue, those being worked on counted.')
@minValue(1)
param filesPerWorker int = 20

@description('Where traces go, by OTLP over HTTP; empty: nowhere.')
param otlpEndpoint string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Logs taken in a day at most, in GB; -1: any. Past it nothing is logged until the next day.')
@minValue(-1)
param logLimitGb int = 5

@description('Days that a deleted or overwritten blob can be had back.')
@minValue(1)
@maxValue(365)
param undeleteDays int = 7

@description('Who is told by mail of files that were set aside and of events that never arrived; empty: nobody.')
param alertEmail string = ''

@description('Object id of whoever uploads models and runs the smoke test; empty: no role for them here.')
param operatorPrincipalId string = ''

@description('What the operator is; empty: Azure finds out.')
@allowed(['', 'User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = ''

resource apiIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-api-identity'
  location: location
}

resource workerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-worker-identity'
  location: location
}

resource functionIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-function-identity'
  location: location
}

module logs 'modules/logs.bicep' = {
  name: '${prefix}-logs'
  params: {
    location: location
    workspaceName: '${prefix}-logs'
    insightsName: '${prefix}-insights'
    retentionDays: logRetentionDays
    limitGb: logLimitGb
    functionPrincipalId: functionIdentity.properties.principalId
  }
}

module registry 'modules/registry.bicep' = {
  name: '${prefix}-registry'
  params: {
    location: location
    registryName: '${prefix}${suffix}'
    workspaceId: logs.outputs.workspaceId
    pullerPrincipalIds: [apiIdentity.properties.principalId, workerIdentity.properties.principalId]
  }
}

module storage 'modules/storage.bicep' = {
  name: '${prefix}-storage'
  params: {
    location: location
    accountName: '${prefix}data${suffix}'
    undeleteDays: undeleteDays
    workspaceId: logs.outputs.workspaceId
  }
}

module access 'modules/access.bicep' = {
  name: '${prefix}-access'
  params: {
    accountName: storage.outputs.accountName
    apiPrincipalId: apiIdentity.properties.principalId
    workerPrincipalId: workerIdentity.properties.principalId
    functionPrincipalId: functionIdentity.properties.principalId
    functionScores: trigger == 'function'
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
}

module events 'modules/events.bicep' = {
  name: '${prefix}-events'
  params: {
    location: location
    topicName: '${prefix}-uploads'
    accountName: storage.outputs.accountName
    workspaceId: logs.outputs.workspaceId
  }
}

module functionApp 'modules/function.bicep' = {
  name: '${prefix}-function'
  params: {
    location: location
    appName: '${prefix}-function-${suffix}'
    planName: '${prefix}-plan'
    hostAccountName: '${prefix}host${suffix}'
    dataAccountName: storage.outputs.accountName
    modelUrl: '${storage.outputs.blobEndpoint}models/current'
    identityId: functionIdentity.id
    identityClientId: functionIdentity.properties.clientId
    identityPrincipalId: functionIdentity.properties.principalId
    insightsConnectionString: logs.outputs.insightsConnectionString
    scores: trigger == 'function'
  }
}

module appEnvironment 'modules/environment.bicep' = {
  name: '${prefix}-environment'
  params: {
    location: location
    environmentName: '${prefix}-environment'
    workspaceId: logs.outputs.workspaceId
  }
}

module apps 'modules/apps.bicep' = if (stage == 'all') {
  name: '${prefix}-apps'
  params: {
    location: location
    environmentId: appEnvironment.outputs.environmentId
    apiName: '${prefix}-api'
    workerName: '${prefix}-worker'
    image: image
    registryServer: registry.outputs.loginServer
    apiIdentityId: apiIdentity.id
    apiClientId: apiIdentity.properties.clientId
    workerIdentityId: workerIdentity.id
    workerClientId: workerIdentity.properties.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    accountName: storage.outputs.accountName
    modelUrl: '${storage.outputs.blobEndpoint}models/current'
    apiKey: apiKey
    apiKeySetOn: apiKeySetOn
    apiMinReplicas: apiMinReplicas
    apiMaxReplicas: apiMaxReplicas
    workerMinReplicas: workerMinReplicas
    workerMaxReplicas: workerMaxReplicas
    filesPerWorker: filesPerWorker
    otlpEndpoint: otlpEndpoint
  }
  dependsOn: [access]
}

module toQueue 'modules/uploads-to-queue.bicep' = if (stage == 'all' && trigger == 'worker') {
  name: '${prefix}-uploads-to-queue'
  params: {
    topicName: events.outputs.topicName
    accountName: storage.outputs.accountName
  }
}

module toFunction 'modules/uploads-to-function.bicep' = if (stage == 'all' && trigger == 'function') {
  name: '${prefix}-uploads-to-function'
  params: {
    topicName: events.outputs.topicName
    accountName: storage.outputs.accountName
    functionAppName: functionApp.outputs.appName
  }
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  name: '${prefix}-alerts'
  params: {
    location: location
    prefix: prefix
    email: alertEmail
    workspaceId: logs.outputs.workspaceId
    topicId: events.outputs.topicId
  }
}

output registryName string = registry.outputs.registryName
output registryServer string = registry.outputs.loginServer
output storageAccount string = storage.outputs.accountName
output blobEndpoint string = storage.outputs.blobEndpoint
output functionApp string = functionApp.outputs.appName
output workspaceId string = logs.outputs.workspaceId
output apiUrl string = stage == 'all' ? apps!.outputs.apiUrl : ''

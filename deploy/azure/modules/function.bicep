// The function app, on the Flex Consumption plan, and the account that its host keeps its own things in: leases, keys,
// the package. Apart from customers' data, since the host must own all of it.

param location string
param appName string
param planName string
param hostAccountName string
param dataAccountName string
param modelUrl string
param identityId string
param identityClientId string
param identityPrincipalId string
param insightsConnectionString string

@description('The function hears of uploads; otherwise it is there and switched off.')
param scores bool

var roles = loadJsonContent('../roles.json')
var packageContainer = 'app-package'

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: hostAccountName
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource package 'containers' = {
      name: packageContainer
      properties: {
        publicAccess: 'None'
      }
    }
  }
}

// Leases, keys and the package are blobs; the blob trigger keeps what it has heard in a queue.
resource hostRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.storageBlobDataOwner, roles.storageQueueDataContributor]: {
    name: guid(hostAccount.id, identityPrincipalId, role)
    scope: hostAccount
    properties: {
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

var commonSettings = [
  {
    name: 'AzureWebJobsStorage__accountName'
    value: hostAccount.name
  }
  {
    name: 'AzureWebJobsStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'AzureWebJobsStorage__clientId'
    value: identityClientId
  }
  {
    name: 'DataStorage__blobServiceUri'
    value: dataAccount.properties.primaryEndpoints.blob
  }
  {
    name: 'DataStorage__queueServiceUri'
    value: dataAccount.properties.primaryEndpoints.queue
  }
  {
    name: 'DataStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'DataStorage__clientId'
    value: identityClientId
  }
  {
    name: 'DROPSCORE_CONNECTION'
    value: 'DataStorage'
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: identityClientId
  }
  {
    name: 'AzureWebJobs.BlobTriggerConversionPrediction.Disabled'
    value: scores ? 'false' : 'true'
  }
  {
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
    value: insightsConnectionString
  }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identityClientId};Authorization=AAD'
  }
]

// Switched off it may not read models: its host then starts it with the packaged one.
var modelSettings = [
  {
    name: 'DROPSCORE_MODEL'
    value: modelUrl
  }
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    // Linux.
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: appName
  location: location
  kind: 'functionapp,linux'
  dependsOn: [hostRoles, hostAccount::blobs::package]
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostAccount.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
      }
      runtime: {
        // The one version that the plan offers for custom handlers.
        name: 'custom'
        version: '1.0'
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      appSettings: concat(commonSettings, scores ? modelSettings : [])
    }
  }
}

// Code is put there with an Entra token, never with the app's own user and password.
resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output appName string = app.name

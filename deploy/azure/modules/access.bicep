// Who may do what with customers' data: each role on the one container or queue that it is needed for.

param accountName string
param apiPrincipalId string
param workerPrincipalId string
param functionPrincipalId string

@description('The function hears of uploads. Its host then needs roles on the whole account.')
param functionScores bool
param operatorPrincipalId string
param operatorPrincipalType string

var roles = loadJsonContent('../roles.json')

var onContainers = [
  { container: 'models', principalId: apiPrincipalId, role: roles.storageBlobDataReader }
  { container: 'models', principalId: workerPrincipalId, role: roles.storageBlobDataReader }
  { container: 'input-data', principalId: workerPrincipalId, role: roles.storageBlobDataReader }
  { container: 'output-results', principalId: workerPrincipalId, role: roles.storageBlobDataContributor }
]

// The worker takes, hides, removes and, for lost events, puts messages; into the poison queue it only puts.
var onQueues = [
  { queue: 'scoring', principalId: workerPrincipalId, role: roles.storageQueueDataContributor }
  { queue: 'scoring-poison', principalId: workerPrincipalId, role: roles.storageQueueDataMessageSender }
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource queueService 'queueServices' existing = {
    name: 'default'
  }
}

resource roleContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = [
  for grant in onContainers: {
    parent: account::blobs
    name: grant.container
  }
]

resource containerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onContainers: {
    name: guid(roleContainers[i].id, grant.principalId, grant.role)
    scope: roleContainers[i]
    properties: {
      principalId: grant.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    }
  }
]

resource roleQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = [
  for grant in onQueues: {
    parent: account::queueService
    name: grant.queue
  }
]

resource queueRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, i) in onQueues: {
    name: guid(roleQueues[i].id, grant.principalId, grant.role)
    scope: roleQueues[i]
    properties: {
      principalId: grant.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    }
  }
]

// What Microsoft asks for of a blob trigger's connection.
resource functionRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [roles.storageBlobDataOwner, roles.storageQueueDataContributor]: if (functionScores) {
    name: guid(account.id, functionPrincipalId, role)
    scope: account
    properties: {
      principalId: functionPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

var operatorContainers = ['models', 'input-data', 'output-results']

resource operatedContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = [
  for name in operatorContainers: {
    parent: account::blobs
    name: name
  }
]

// Models are uploaded and the smoke test is run by an identity too: the account has no keys.
resource operatorRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in operatorContainers: if (!empty(operatorPrincipalId)) {
    name: guid(operatedContainers[i].id, operatorPrincipalId, roles.storageBlobDataContributor)
    scope: operatedContainers[i]
    properties: {
      principalId: operatorPrincipalId
      principalType: empty(operatorPrincipalType) ? null : operatorPrincipalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
    }
  }
]

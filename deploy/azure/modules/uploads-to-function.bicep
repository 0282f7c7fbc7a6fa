// Each upload is told to the function's host. Its code must be there: the host makes the key below when it finds the
// blob trigger.

param topicName string
param accountName string
param functionAppName string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
}

var hostKey = listKeys('${app.id}/host/default', '2024-04-01').systemKeys.blobs_extension
var hostPath = '/runtime/webhooks/blobs?functionName=Host.Functions.BlobTriggerConversionPrediction'

resource uploads 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'uploads-to-function'
  properties: {
    // The one schema that the host's blob extension reads.
    eventDeliverySchema: 'EventGridSchema'
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: 'https://${app.properties.defaultHostName}${hostPath}&code=${hostKey}'
        minimumTlsVersionAllowed: '1.2'
      }
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: account.id
          blobContainerName: 'dead-letters'
        }
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/input-data/blobs/'
    }
    retryPolicy: {
      eventTimeToLiveInMinutes: 1440
      maxDeliveryAttempts: 30
    }
  }
}

// Mail when a file was given up, or when Event Grid gave up telling of one. Neither mends itself.

param location string
param prefix string
param email string
param workspaceId string
param topicId string

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-mail'
  location: 'global'
  properties: {
    groupShortName: take(prefix, 12)
    enabled: true
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

var setAsideQuery = '''
ContainerAppConsoleLogs
| extend entry = parse_json(Log)
| where tostring(entry.event) in ('file_set_aside', 'message_dead_lettered')
'''

resource setAside 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-file-set-aside'
  location: location
  kind: 'LogAlert'
  properties: {
    displayName: 'dropscore: a file was set aside'
    description: 'A message lies in queue scoring-poison, and says why.'
    enabled: true
    severity: 2
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    // The table is there only once a container has logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: setAsideQuery
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: {
      actionGroups: [mail.id]
    }
  }
}

resource eventsLost 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-event-dead-lettered'
  location: 'global'
  properties: {
    description: 'Event Grid gave up telling of an upload: a blob in container dead-letters says why.'
    enabled: true
    severity: 2
    scopes: [topicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-lettered'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [
      {
        actionGroupId: mail.id
      }
    ]
  }
}

"""The Bicep files: their syntax, names, what they make, and the promises of the README about it.

No Bicep compiler is to be had here. bicep_outline.mjs reads the files with tree-sitter's grammar of Bicep, and
bicep_deployment.mjs works out what a deployment of them would make.
"""
import json
import re
import subprocess
import unittest

from deploy_support import ROOT, deploy

AZURE = ROOT / "deploy/azure"
FILES = sorted([AZURE / "main.bicep", *AZURE.glob("modules/*.bicep")])
ROLES = json.loads((AZURE / "roles.json").read_text())

# The resources of the original system, as its description has them.
ORIGINAL = ["Microsoft.ContainerRegistry/registries", "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites",
            "Microsoft.Web/serverfarms", "Microsoft.Insights/components", "Microsoft.App/managedEnvironments",
            "Microsoft.App/containerApps", "Microsoft.OperationalInsights/workspaces"]
ORIGINAL_CONTAINERS = ["input-data", "output-results"]

# Versions that Azure's published type definitions (Azure/bicep-types-az, August 2026) have; every property of every
# resource was held against them.
VERSIONS = {
    "Microsoft.App": "2025-01-01", "Microsoft.Authorization": "2022-04-01", "Microsoft.ContainerRegistry": "2025-04-01",
    "Microsoft.EventGrid": "2025-02-15", "Microsoft.ManagedIdentity": "2023-01-31",
    "Microsoft.OperationalInsights": "2023-09-01", "Microsoft.Storage": "2025-01-01", "Microsoft.Web": "2024-04-01",
    "Microsoft.Insights/components": "2020-02-02", "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/actionGroups": "2023-01-01", "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
}

# Azure's built-in roles, from Azure/bicep-registry-modules.
ROLE_IDS = {
    "acrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataReader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageQueueDataMessageSender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
}


def node(program, *arguments):
    return subprocess.run(["node", ROOT / "tests/deploy/azure" / program, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=300)


def outlines(*files):
    done = node("bicep_outline.mjs", *files)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def deployment(template=AZURE / "main.bicep", **parameters):
    given = {"prefix": "dropscore", "suffix": "abc123", "apiKey": "k" * 48, "image": "REGISTRY/dropscore@sha256:0",
             "operatorPrincipalId": "operator", **parameters}
    done = node("bicep_deployment.mjs", template, *(f"{name}={value}" for name, value in given.items()))
    if done.returncode != 0:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


def of_type(made, kind):
    return {one["name"]: one["body"] for one in made["resources"] if one["type"] == kind}


def listed(made):
    """As deploy.sh lists them: role assignments by who may do what where, diagnostic settings by what they are of."""
    names = {identifier: name for name, identifier in ROLES.items()}
    for one in made["resources"]:
        body, name = one["body"], one["name"]
        if one["type"] == "Microsoft.Authorization/roleAssignments":
            role = names[body["properties"]["roleDefinitionId"].rsplit("/", 1)[1]]
            who = re.sub(r"^<(.*?)\.(properties|identity)\..*", r"\1", body["properties"]["principalId"])
            name = f"{role}: {who} on {body['scope']}"
        elif one["type"] == "Microsoft.Insights/diagnosticSettings":
            name = f"{name} of {body['scope']}"
        yield one["type"], name


def promised(*arguments):
    """What deploy.sh --dry-run says that it would make."""
    done = deploy("--dry-run", "--suffix", "abc123", *arguments)
    assert done.returncode == 0, done.stderr
    return [tuple(line.split(None, 1)) for line in done.stdout.splitlines() if re.match(r"  Microsoft\.", line)]


class SyntaxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = outlines(*FILES)

    def test_every_file_is_bicep(self):
        self.assertGreaterEqual(len(self.files), 10)
        for file in self.files:
            self.assertEqual(file["faults"], [], file["file"])

    def test_every_name_is_declared_and_every_declaration_used(self):
        for file in self.files:
            declared = [one["name"] for kind in ("params", "vars") for one in file[kind]]
            made = [one["symbol"] for kind in ("resources", "modules") for one in file[kind] if not one.get("nested")]
            used = {one["name"] for one in file["uses"]}
            self.assertEqual(len(declared + made), len(set(declared + made)), f"twice in {file['file']}")
            self.assertEqual(sorted(used - {*declared, *made, *file["locals"]}), [], f"nowhere declared in {file['file']}")
            self.assertEqual(sorted(set(declared) - used), [], f"never used in {file['file']}")

    def test_every_parameter_of_the_whole_is_described_and_held_within_bounds(self):
        [main] = [file for file in self.files if file["file"].endswith("main.bicep")]
        free = {"location", "image", "otlpEndpoint", "alertEmail", "operatorPrincipalId"}
        for parameter in main["params"]:
            decorators = {one["name"] for one in parameter["decorators"]}
            self.assertIn("description", decorators, parameter["name"])
            if parameter["name"] not in free:
                self.assertTrue(decorators & {"allowed", "minLength", "minValue"}, parameter["name"])

    def test_the_key_is_secure_wherever_it_passes_and_no_output(self):
        for file in self.files:
            for parameter in file["params"]:
                if "apiKey" == parameter["name"]:
                    self.assertIn("secure", {one["name"] for one in parameter["decorators"]}, file["file"])
            self.assertNotIn("apiKey", {one["name"] for one in file["outputs"]})

    def test_versions_are_those_that_were_looked_up(self):
        for file in self.files:
            for resource in file["resources"]:
                top = "/".join(resource["type"].split("/")[:2])
                wanted = VERSIONS.get(top) or VERSIONS[top.split("/")[0]]
                self.assertEqual(resource["version"], wanted, f"{resource['type']} in {file['file']}")

    def test_the_secrets_api_version_of_the_script_is_the_templates(self):
        text = (AZURE / "lib/api_key.sh").read_text()
        self.assertIn(f"apps_api={VERSIONS['Microsoft.App']} ", text)

    def test_a_fault_is_found(self):
        """The checks above can fail."""
        import tempfile  # noqa: PLC0415
        with tempfile.NamedTemporaryFile("w", suffix=".bicep") as file:
            file.write("param a string\nresource b 'T/x@1' = {\n  name: c\n")
            file.flush()
            [outline] = outlines(file.name)
            self.assertTrue(outline["faults"])
            self.assertIn("c", {one["name"] for one in outline["uses"]})


class ResourcesTest(unittest.TestCase):
    def test_the_dry_run_promises_what_the_files_make_and_nothing_else(self):
        for trigger in ("worker", "function"):
            said = promised("--trigger", trigger)
            group = [one for one in said if one[0] == "Microsoft.Resources/resourceGroups"]
            self.assertEqual(group, [("Microsoft.Resources/resourceGroups", "dropscore")])
            self.assertEqual(sorted(one for one in said if one not in group), sorted(listed(deployment(trigger=trigger))))

    def test_with_alerts_too(self):
        import tempfile  # noqa: PLC0415
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"parameters": {"alertEmail": {"value": "ops@example.org"}}}, file)
            file.flush()
            said = promised("--parameters", file.name)
        made = listed(deployment(alertEmail="ops@example.org"))
        self.assertEqual(sorted(one for one in said if "resourceGroups" not in one[0]), sorted(made))
        self.assertIn(("Microsoft.Insights/scheduledQueryRules", "dropscore-file-set-aside"), said)

    def test_all_of_the_original_is_there_in_one_group_and_region(self):
        said = promised()
        kinds = {kind for kind, _ in said}
        for kind in ORIGINAL:
            self.assertIn(kind, kinds)
        containers = {name.rsplit("/", 1)[1] for kind, name in said if kind.endswith("/containers")}
        for name in ORIGINAL_CONTAINERS:
            self.assertIn(name, containers)
        made = deployment()
        self.assertEqual({one["body"]["location"] for one in made["resources"] if "location" in one["body"]},
                         {"switzerlandnorth"})

    def test_as_large_as_the_original(self):
        api = of_type(deployment(), "Microsoft.App/containerApps")["dropscore-api"]["properties"]
        self.assertEqual(api["configuration"]["ingress"],
                         {"external": True, "targetPort": 8000, "transport": "auto", "allowInsecure": False})
        [container] = api["template"]["containers"]
        self.assertEqual(container["resources"], {"cpu": 1, "memory": "2Gi"})
        scale = api["template"]["scale"]
        self.assertEqual((scale["minReplicas"], scale["maxReplicas"]), (1, 3))
        made = deployment()
        self.assertEqual({one["sku"]["name"] for one in of_type(made, "Microsoft.Storage/storageAccounts").values()},
                         {"Standard_LRS"})
        [registry] = of_type(made, "Microsoft.ContainerRegistry/registries").values()
        self.assertEqual(registry["sku"]["name"], "Basic")

    def test_names_fit_their_services_limits(self):
        made = deployment(prefix="abcdefghijk", suffix="12345678")
        limits = {"Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}", "Microsoft.App/containerApps": r"[a-z][a-z0-9-]{0,30}[a-z0-9]",
                  "Microsoft.ContainerRegistry/registries": r"[a-z0-9]{5,50}", "Microsoft.Web/sites": r"[a-z0-9-]{2,60}",
                  "Microsoft.OperationalInsights/workspaces": r"[a-z0-9-]{4,63}", "Microsoft.EventGrid/systemTopics": r"[a-z0-9-]{3,50}"}
        for kind, form in limits.items():
            for name in of_type(made, kind):
                self.assertRegex(name, f"^{form}$")

    def test_the_first_stage_makes_neither_app_nor_subscription(self):
        kinds = {one["type"] for one in deployment(stage="base", image="")["resources"]}
        self.assertNotIn("Microsoft.App/containerApps", kinds)
        self.assertNotIn("Microsoft.EventGrid/systemTopics/eventSubscriptions", kinds)
        self.assertIn("Microsoft.ContainerRegistry/registries", kinds)

    def test_parameters_out_of_bounds_are_refused(self):
        for name, value in {"prefix": "longer-than-eleven", "suffix": "a", "stage": "both", "trigger": "cron", "apiKey": "short",
                            "workerMaxReplicas": 0, "undeleteDays": 0, "nonsense": 1}.items():
            with self.assertRaises(ValueError, msg=name):
                deployment(**{name: value})

    def test_the_committed_parameters_are_parameters(self):
        given = json.loads((AZURE / "main.parameters.json").read_text())["parameters"]
        made = deployment(**{name: entry["value"] for name, entry in given.items()})
        self.assertEqual(sorted(listed(made)), sorted(listed(deployment())), "they change what a plain deployment makes")


class SafetyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = deployment()

    def test_no_keys_and_tls_only(self):
        accounts = of_type(self.made, "Microsoft.Storage/storageAccounts")
        self.assertEqual(len(accounts), 2)
        for account in accounts.values():
            self.assertEqual({name: account["properties"][name] for name in
                              ("allowSharedKeyAccess", "allowBlobPublicAccess", "supportsHttpsTrafficOnly", "minimumTlsVersion")},
                             {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False, "supportsHttpsTrafficOnly": True,
                              "minimumTlsVersion": "TLS1_2"})
        for container in of_type(self.made, "Microsoft.Storage/storageAccounts/blobServices/containers").values():
            self.assertEqual(container["properties"]["publicAccess"], "None")
        [registry] = of_type(self.made, "Microsoft.ContainerRegistry/registries").values()
        self.assertIs(registry["properties"]["adminUserEnabled"], False)
        [function] = of_type(self.made, "Microsoft.Web/sites").values()
        self.assertIs(function["properties"]["httpsOnly"], True)
        for name in ("ftp", "scm"):
            [policy] = [one["body"] for one in self.made["resources"] if one["name"].endswith(f"/{name}")]
            self.assertIs(policy["properties"]["allow"], False)

    def test_no_connection_string_or_key_is_a_setting(self):
        settings = json.dumps(of_type(self.made, "Microsoft.Web/sites"))
        self.assertNotIn("AccountKey", settings)
        self.assertNotIn("listKeys", json.dumps(self.made))
        self.assertNotIn("k" * 48, json.dumps([one for one in self.made["resources"] if one["name"] != "dropscore-api"]))
        self.assertNotIn("k" * 48, json.dumps(self.made["outputs"]))

    def test_the_key_is_a_secret_of_the_api_and_in_its_environment_by_reference_only(self):
        api = of_type(self.made, "Microsoft.App/containerApps")["dropscore-api"]["properties"]
        self.assertEqual(api["configuration"]["secrets"], [{"name": "api-key", "value": "k" * 48}])
        [container] = api["template"]["containers"]
        self.assertIn({"name": "DROPSCORE_API_KEY", "secretRef": "api-key"}, container["env"])
        self.assertNotIn("k" * 48, json.dumps(api["template"]))

    def test_roles_are_azures_and_the_readmes(self):
        self.assertEqual(ROLES, ROLE_IDS)
        readme = (AZURE / "README.md").read_text()
        for trigger in ("worker", "function"):
            for kind, name in listed(deployment(trigger=trigger)):
                if kind != "Microsoft.Authorization/roleAssignments":
                    continue
                role, who, where = re.fullmatch(r"(\w+): (\S+) on (\S+)", name).groups()
                spoken = re.sub(r"([A-Z])", r" \1", role).title().replace("Acr Pull", "AcrPull")
                place = where.rsplit("/", 1)[-1].replace("abc123", "").replace("dropscore", "", 1).lstrip("-")
                row = rf"\| {who.removeprefix('dropscore-')} \| {spoken} \| [^|]*\b{place or 'registry'}\b[^|]*\|"
                self.assertRegex(readme, row, name)

    def test_nobody_but_the_host_of_functions_has_a_role_on_an_account(self):
        for trigger in ("worker", "function"):
            for kind, name in listed(deployment(trigger=trigger)):
                if kind == "Microsoft.Authorization/roleAssignments" and re.search(r"on dropscore(data|host)abc123$", name):
                    self.assertIn("dropscore-function-identity", name)
                    if trigger == "worker":
                        self.assertIn("dropscorehost", name)


class JourneyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = {trigger: deployment(trigger=trigger) for trigger in ("worker", "function")}
        cls.apps = of_type(cls.made["worker"], "Microsoft.App/containerApps")

    def subscriptions(self, trigger):
        return of_type(self.made[trigger], "Microsoft.EventGrid/systemTopics/eventSubscriptions")

    def test_an_upload_is_told_to_one_of_the_two(self):
        self.assertEqual(list(self.subscriptions("worker")), ["dropscore-uploads/uploads-to-queue"])
        self.assertEqual(list(self.subscriptions("function")), ["dropscore-uploads/uploads-to-function"])
        for trigger, disabled in (("worker", "true"), ("function", "false")):
            [function] = of_type(self.made[trigger], "Microsoft.Web/sites").values()
            settings = {one["name"]: one["value"] for one in function["properties"]["siteConfig"]["appSettings"]}
            self.assertEqual(settings["AzureWebJobs.BlobTriggerConversionPrediction.Disabled"], disabled)

    def test_events_reach_the_queue_in_a_form_that_the_program_reads(self):
        [subscription] = self.subscriptions("worker").values()
        properties = subscription["properties"]
        self.assertEqual(properties["eventDeliverySchema"], "CloudEventSchemaV1_0")
        self.assertEqual(properties["filter"], {"includedEventTypes": ["Microsoft.Storage.BlobCreated"],
                                                "subjectBeginsWith": "/blobServices/default/containers/input-data/blobs/"})
        destination = properties["deliveryWithResourceIdentity"]["destination"]
        self.assertEqual(destination["properties"]["queueName"], "scoring")
        dead = properties["deadLetterWithResourceIdentity"]["deadLetterDestination"]
        self.assertEqual(dead["properties"]["blobContainerName"], "dead-letters")

    def test_the_worker_scales_from_nothing_by_the_queue_that_it_reads(self):
        worker = self.apps["dropscore-worker"]["properties"]
        self.assertNotIn("ingress", worker["configuration"])
        scale = worker["template"]["scale"]
        self.assertEqual((scale["minReplicas"], scale["maxReplicas"]), (0, 10))
        [rule] = scale["rules"]
        self.assertEqual(rule["azureQueue"]["queueName"], "scoring")
        self.assertIn("dropscore-worker-identity", rule["azureQueue"]["identity"])
        self.assertEqual(rule["azureQueue"]["accountName"], "dropscoredataabc123")
        [container] = worker["template"]["containers"]
        words = container["args"]
        self.assertEqual(words[words.index("--queue") + 1], "scoring")

    def test_probes_ask_the_operations_port(self):
        for app in self.apps.values():
            [container] = app["properties"]["template"]["containers"]
            asked = {one["type"]: (one["httpGet"]["path"], one["httpGet"]["port"]) for one in container["probes"]}
            self.assertEqual(asked, {"Startup": ("/readyz", 9100), "Liveness": ("/livez", 9100), "Readiness": ("/readyz", 9100)})
            self.assertTrue(all(one["failureThreshold"] <= 10 for one in container["probes"]), "Container Apps takes ten")

    def test_a_replica_has_time_to_end(self):
        api, worker = (self.apps[name]["properties"]["template"] for name in ("dropscore-api", "dropscore-worker"))
        [container] = api["containers"]
        [delay] = [int(one["value"]) for one in container["env"] if one["name"] == "DROPSCORE_STOP_DELAY_S"]
        self.assertGreaterEqual(delay, 5, "the ingress sends requests for a while yet")
        self.assertGreaterEqual(api["terminationGracePeriodSeconds"], delay + 10 + 15)
        self.assertGreaterEqual(worker["terminationGracePeriodSeconds"], 25 + 15)

    def test_the_alert_looks_for_what_the_program_logs(self):
        [rule] = of_type(deployment(alertEmail="ops@example.org"), "Microsoft.Insights/scheduledQueryRules").values()
        [criterion] = rule["properties"]["criteria"]["allOf"]
        events = re.findall(r"'(\w+)'", criterion["query"])
        self.assertEqual(len(events), 2)
        source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.cc"))
        for event in events:
            self.assertIn(f'"{event}"', source)

    def test_traces_go_somewhere_only_where_it_was_said(self):
        for endpoint, there in (("", False), ("https://collector:4318", True)):
            apps = of_type(deployment(otlpEndpoint=endpoint), "Microsoft.App/containerApps").values()
            for app in apps:
                [container] = app["properties"]["template"]["containers"]
                self.assertEqual("OTEL_EXPORTER_OTLP_ENDPOINT" in {one["name"] for one in container["env"]}, there)


if __name__ == "__main__":
    unittest.main()

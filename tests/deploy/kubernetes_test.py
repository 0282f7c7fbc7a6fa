"""The manifests in deploy/kubernetes: built by the kustomize in kubectl, held against the published schemas, against the
restricted Pod Security Standard, against each other, and against what the program knows.

No cluster is asked. `kubectl kustomize` needs none; the schemas come from npm (tests/deploy/kubernetes).
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/journey"))
from support import PROGRAM, free_port  # noqa: E402

MANIFESTS = ROOT / "deploy/kubernetes"
OVERLAYS = ("local", "aks")
SCHEMAS = pathlib.Path(__file__).resolve().parent / "kubernetes"
# What a reader puts in, and what stands for it here.
WORDS = {"REGISTRY": "exampleregistry", "TAG": "0.1.0", "ACCOUNT": "exampleaccount", "HOST": "score.example.com",
         "API_CLIENT_ID": "11111111-1111-1111-1111-111111111111", "WORKER_CLIENT_ID": "22222222-2222-2222-2222-222222222222"}
MADE_BY_THE_READER = {("Secret", "dropscore-tls")}
IMAGE_VARIABLES = {"DROPSCORE_HOST": "127.0.0.1"}
# What a container's program has here besides its manifest's: sanitizers' options too, where it is built with them.
OURS = {name: value for name, value in os.environ.items() if name == "PATH" or name.endswith("SAN_OPTIONS")}
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
API_DRAIN_SECONDS = 10  # src/app/http/options.h
SPOOL_BYTES = 4 << 30  # likewise


def run(*command, **keywords):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **keywords).stdout


def for_an_old_kustomize(folder):
    """Debian 12's kubectl has kustomize 2.0.3, which calls three fields by their former names."""
    for path in folder.rglob("kustomization.yaml"):
        told = yaml.safe_load(path.read_text())
        told["bases"] = [entry for entry in told["resources"] if (path.parent / entry).is_dir()]
        told["resources"] = [entry for entry in told["resources"] if entry not in told["bases"]]
        told["patchesStrategicMerge"] = [patch["path"] for patch in told.pop("patches", [])]
        for generator in told.get("configMapGenerator", []) + told.get("secretGenerator", []):
            if "envs" in generator:
                (generator["env"],) = generator.pop("envs")
        path.write_text(yaml.safe_dump(told))


def build(overlay, folder):
    """As its README says: the words put in, the two files made. The resources, and kubectl's warnings."""
    tree = folder / overlay
    shutil.copytree(MANIFESTS, tree, ignore=shutil.ignore_patterns("api-key.env", "model.json"))
    here = tree / "overlays" / overlay
    for path in [*here.glob("*.yaml"), *here.glob("*.env")]:
        path.write_text(re.sub(r"\b(" + "|".join(WORDS) + r")\b", lambda found: WORDS[found[0]], path.read_text()))
    (here / "api-key.env").write_text((here / "api-key.env.example").read_text().rstrip() + "0123456789abcdef\n")
    (here / "model.json").write_text("{}")
    if "kustomizeVersion" not in json.loads(run("kubectl", "version", "--client", "-o", "json")):
        for_an_old_kustomize(tree)
    done = subprocess.run(["kubectl", "kustomize", str(here)], check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{overlay}: {done.stderr}")
    return list(yaml.safe_load_all(done.stdout)), done.stderr


def complaints(resources):
    """By the published schemas, of each resource."""
    return json.loads(run("node", "validate.js", cwd=SCHEMAS, input=json.dumps(resources)))


def quantity(text):
    """Kubernetes' 512Mi, 2, 500m as a number."""
    number, unit = re.fullmatch(r"([0-9.]+)(m|[KMGT]i)?", str(text)).groups()
    return float(number) * {None: 1, "m": 1e-3, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}[unit]


def selects(selector, labels):
    """A label selector of matchLabels, the only ones here."""
    assert set(selector) <= {"matchLabels"}, selector
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def options_of(*command):
    """What its --help tells: the long options and the environment variables."""
    text = run(PROGRAM, *command, "--help")
    return set(re.findall(r"--[a-z][a-z0-9-]+", text)), set(re.findall(r"\benv\s+([A-Z_]+)", text))


class Cluster:
    """What one overlay makes, by kind and name."""

    def __init__(self, resources):
        self.resources = resources
        self.named = {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}

    def of(self, kind):
        return [resource for resource in self.resources if resource["kind"] == kind]

    def spec(self, kind, name):
        return self.named[kind, name]["spec"]

    def templates(self):
        return [(resource["metadata"]["name"], resource["spec"]["template"]) for resource in self.of("Deployment")]

    def containers(self):
        return [(name, template["spec"], container) for name, template in self.templates()
                for container in template["spec"].get("initContainers", []) + template["spec"]["containers"]]

    def environment(self, container):
        """Its variables, as the cluster would set them; a secret's value too."""
        variables = {}
        for source in container.get("envFrom", []):
            variables.update(self.named["ConfigMap", source["configMapRef"]["name"]]["data"])
        for variable in container.get("env", []):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                variables[variable["name"]] = self.named["Secret", reference["name"]]["data"][reference["key"]]
            else:
                variables[variable["name"]] = variable["value"]
        return variables

    def worker(self):
        return self.environment(self.spec("Deployment", "dropscore-worker")["template"]["spec"]["containers"][0])


class KubernetesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-kubernetes-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.clusters, cls.warnings = {}, {}
        for overlay in OVERLAYS:
            resources, cls.warnings[overlay] = build(overlay, folder)
            cls.clusters[overlay] = Cluster(resources)
        # Applied beside the overlay: its namespace is another.
        cls.gateway = list(yaml.safe_load_all((folder / "aks/overlays/aks/gateway.yaml").read_text()))

    def each_cluster(self):
        for overlay, cluster in self.clusters.items():
            with self.subTest(overlay):
                yield cluster

    def each_container(self):
        for cluster in self.each_cluster():
            for name, pod, container in cluster.containers():
                with self.subTest(f"{name}, container {container['name']}"):
                    yield cluster, name, pod, container


class Schemas(KubernetesTest):
    def test_every_resource_is_as_the_schemas_say(self):
        for cluster in self.each_cluster():
            for resource, said in zip(cluster.resources, complaints(cluster.resources), strict=True):
                self.assertEqual(said, [], f"{resource['kind']} {resource['metadata']['name']}")
        self.assertEqual(complaints(self.gateway), [[], []])

    def test_nothing_deprecated(self):
        self.assertEqual(self.warnings, {overlay: "" for overlay in OVERLAYS})

    def test_what_is_wrong_is_found(self):
        def spoilt(kind, name, spoil):
            resource = json.loads(json.dumps(self.clusters["aks"].named[kind, name]))
            spoil(resource)
            (said,) = complaints([resource])
            return said

        def pod(resource):
            return resource["spec"]["template"]["spec"]

        api = ("Deployment", "dropscore-api")
        scaled = ("ScaledObject", "dropscore-worker")
        for where, spoil in [
                (api, lambda r: r.update(sepc={})),
                (api, lambda r: r["metadata"].update(lables={})),
                (api, lambda r: r["spec"].pop("selector")),
                (api, lambda r: pod(r).update(terminationGracePeriodSecond=1)),
                (api, lambda r: pod(r)["containers"][0].update(env="X=1")),
                (api, lambda r: pod(r)["containers"][0]["securityContext"].update(runAsNonroot=True)),
                (api, lambda r: pod(r)["containers"][0]["livenessProbe"].update(periodSeconds="10 s")),
                (scaled, lambda r: r["spec"].update(minReplicas=0)),
                (scaled, lambda r: r["spec"]["triggers"][0]["metadata"].update(queueLength=5)),
                (scaled, lambda r: r["spec"].pop("scaleTargetRef")),
                (("HTTPRoute", "dropscore-api"), lambda r: r["spec"]["rules"][0]["backendRefs"][0].update(port="http"))]:
            self.assertEqual(len(spoilt(*where, spoil)), 1)
        self.assertEqual(spoilt(*api, lambda r: pod(r).update(nodeSelector={"kubernetes.io/arch": "amd64"})), [])


class Restricted(KubernetesTest):
    """The Pod Security Standard `restricted`, and what goes beyond it here."""

    def test_the_namespace_enforces_it(self):
        for cluster in self.each_cluster():
            (namespace,) = cluster.of("Namespace")
            self.assertEqual(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted")
            for resource in cluster.resources:
                if resource is not namespace:
                    self.assertEqual(resource["metadata"].get("namespace"), namespace["metadata"]["name"], resource)

    def test_pods(self):
        for cluster in self.each_cluster():
            for name, template in cluster.templates():
                with self.subTest(name):
                    pod = template["spec"]
                    self.assertEqual({"hostNetwork", "hostPID", "hostIPC"} & set(pod), set())
                    self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                    self.assertEqual(pod["securityContext"]["runAsUser"], 10001)
                    self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertNotIn("sysctls", pod["securityContext"])
                    self.assertIs(pod["automountServiceAccountToken"], False)
                    # A Service's name would become variables: of one called dropscore, DROPSCORE_PORT.
                    self.assertIs(pod["enableServiceLinks"], False)
                    for volume in pod.get("volumes", []):
                        self.assertLessEqual(set(volume) - {"name"}, RESTRICTED_VOLUMES)
                        if "emptyDir" in volume:
                            self.assertIn("sizeLimit", volume["emptyDir"])
            for account in cluster.of("ServiceAccount"):
                self.assertIs(account["automountServiceAccountToken"], False)

    def test_containers(self):
        for _, _, _, container in self.each_container():
            context = container["securityContext"]
            self.assertIs(context["allowPrivilegeEscalation"], False)
            self.assertIs(context["readOnlyRootFilesystem"], True)
            self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
            self.assertEqual({"privileged", "procMount", "runAsUser", "runAsNonRoot"} & set(context), set())
            self.assertTrue(all("hostPort" not in port for port in container.get("ports", [])))

    def test_everything_has_a_limit(self):
        for _, _, pod, container in self.each_container():
            resources = container["resources"]
            self.assertLessEqual({"cpu", "memory"}, set(resources["requests"]))
            self.assertIn("memory", resources["limits"])
            for what, most in resources["limits"].items():
                self.assertLessEqual(quantity(resources["requests"].get(what, 0)), quantity(most), what)

    def test_nothing_secret_is_committed(self):
        tracked = run("git", "ls-files", "--", str(MANIFESTS), cwd=ROOT).split() if (ROOT / ".git").exists() else []
        self.assertFalse([path for path in tracked if path.endswith(("api-key.env", "model.json"))])
        for overlay in OVERLAYS:
            example = (MANIFESTS / "overlays" / overlay / "api-key.env.example").read_text().splitlines()
            self.assertEqual([line for line in example if not line.startswith("#")], ["DROPSCORE_API_KEY="])
        for path in MANIFESTS.rglob("*"):
            if path.is_file() and path.name not in ("api-key.env", "model.json"):
                self.assertNotRegex(path.read_text(), r"AccountKey=|SharedAccessSignature=|[?&]sig=|BEGIN [A-Z ]*PRIVATE KEY")


class References(KubernetesTest):
    def test_what_a_pod_names_is_there(self):
        for cluster, _, pod, container in self.each_container():
            if "serviceAccountName" in pod:
                self.assertIn(("ServiceAccount", pod["serviceAccountName"]), cluster.named)
            cluster.environment(container)  # a KeyError names what is not there
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, set(volumes))
            for volume in volumes.values():
                if "configMap" in volume:
                    self.assertIn(("ConfigMap", volume["configMap"]["name"]), cluster.named)
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                for action in ("httpGet", "tcpSocket"):
                    if action in container.get(probe, {}):
                        self.assertIn(container[probe][action]["port"], ports)

    def test_our_containers_have_every_probe(self):
        for _, name, _, container in self.each_container():
            if name.startswith("dropscore-"):
                paths = {probe: container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
                self.assertEqual(paths, {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/livez"})
                self.assertIn({"name": "ops", "containerPort": 9100}, container["ports"])

    def test_images_are_named_with_a_version(self):
        for _, name, _, container in self.each_container():
            where, _, version = container["image"].rpartition(":")
            self.assertRegex(where, r"(^|/)dropscore$" if name.startswith("dropscore-") else r"^mcr\.microsoft\.com/.+")
            self.assertNotIn(version, ("", "latest"))

    def test_selectors(self):
        for cluster in self.each_cluster():
            templates = dict(cluster.templates())
            for deployment in cluster.of("Deployment"):
                labels = deployment["spec"]["template"]["metadata"]["labels"]
                own = deployment["metadata"]["name"]
                self.assertTrue(selects(deployment["spec"]["selector"], labels), own)
                others = [name for name, template in templates.items()
                          if name != own and selects(deployment["spec"]["selector"], template["metadata"]["labels"])]
                self.assertEqual(others, [], own)
                for constraint in deployment["spec"]["template"]["spec"].get("topologySpreadConstraints", []):
                    self.assertTrue(selects(constraint["labelSelector"], labels), own)
            for budget in cluster.of("PodDisruptionBudget"):
                self.assertEqual([name for name, template in templates.items()
                                  if selects(budget["spec"]["selector"], template["metadata"]["labels"])],
                                 [budget["metadata"]["name"]])

    def pods_of(self, cluster, selector):
        return [template for _, template in cluster.templates() if selects(selector, template["metadata"]["labels"])]

    def ports_of(self, template):
        return {port["name"] for container in template["spec"]["containers"] for port in container["ports"]}

    def test_services(self):
        for cluster in self.each_cluster():
            for service in cluster.of("Service"):
                pods = self.pods_of(cluster, {"matchLabels": service["spec"]["selector"]})
                self.assertEqual(len(pods), 1, service["metadata"]["name"])
                for port in service["spec"]["ports"]:
                    self.assertIn(port["targetPort"], self.ports_of(pods[0]))

    def test_network_policies(self):
        for cluster in self.each_cluster():
            policies = cluster.of("NetworkPolicy")
            self.assertIn({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, [policy["spec"] for policy in policies])
            for policy in policies:
                pods = self.pods_of(cluster, policy["spec"]["podSelector"])
                self.assertTrue(pods, policy["metadata"]["name"])
                for rule in policy["spec"].get("ingress", []):
                    for port in rule["ports"]:
                        for pod in pods:
                            self.assertIn(port["port"], self.ports_of(pod), policy["metadata"]["name"])
                for rule in policy["spec"].get("egress", []):
                    for peer in rule.get("to", []):
                        if "podSelector" in peer:
                            (pod,) = self.pods_of(cluster, peer["podSelector"])
                            self.assertLessEqual({port["port"] for port in rule["ports"]}, self.ports_of(pod))

    def test_the_way_in(self):
        cluster = self.clusters["aks"]
        (route,) = cluster.of("HTTPRoute")
        (parent,) = route["spec"]["parentRefs"]
        namespace, gateway = self.gateway
        self.assertEqual((parent["namespace"], parent["name"]), (gateway["metadata"]["namespace"], gateway["metadata"]["name"]))
        self.assertEqual(gateway["metadata"]["namespace"], namespace["metadata"]["name"])
        (listener,) = gateway["spec"]["listeners"]
        self.assertEqual(listener["protocol"], "HTTPS")
        self.assertEqual(route["spec"]["hostnames"], [listener["hostname"]])
        self.assertEqual(listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"],
                         {"kubernetes.io/metadata.name": route["metadata"]["namespace"]})
        for certificate in listener["tls"]["certificateRefs"]:
            self.assertIn(("Secret", certificate["name"]), MADE_BY_THE_READER)
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                service = cluster.spec("Service", backend["name"])
                self.assertIn(backend["port"], [port["port"] for port in service["ports"]])
        (let_in,) = cluster.spec("NetworkPolicy", "dropscore-api")["ingress"]
        self.assertEqual(let_in["from"], [{"namespaceSelector": {"matchLabels": {
            "kubernetes.io/metadata.name": namespace["metadata"]["name"]}}}])

    def test_what_scales(self):
        for cluster in self.each_cluster():
            scaled = cluster.of("HorizontalPodAutoscaler") + cluster.of("ScaledObject")
            for scaler in scaled:
                target = scaler["spec"]["scaleTargetRef"]
                deployment = cluster.named[target["kind"], target["name"]]
                self.assertEqual(deployment["apiVersion"], target["apiVersion"])
                self.assertNotIn("replicas", deployment["spec"], "an apply would take the scaler's word back")
            api = cluster.spec("HorizontalPodAutoscaler", "dropscore-api")
            self.assertGreaterEqual(api["minReplicas"], 2)
            self.assertEqual(cluster.spec("Deployment", "dropscore-api")["strategy"]["rollingUpdate"]["maxUnavailable"], 0)

    def test_the_worker_is_scaled_by_its_own_queue(self):
        cluster = self.clusters["aks"]
        scaled = cluster.spec("ScaledObject", "dropscore-worker")
        self.assertEqual(scaled["minReplicaCount"], 0)
        trigger, hourly = scaled["triggers"]
        self.assertEqual((hourly["type"], hourly["metadata"]["desiredReplicas"]), ("cron", "1"), "lost events wait for a sweep")
        self.assertIn(("TriggerAuthentication", trigger["authenticationRef"]["name"]), cluster.named)
        worker = cluster.worker()
        self.assertEqual(trigger["metadata"]["queueName"], worker["DROPSCORE_QUEUE"])
        self.assertTrue(worker["DROPSCORE_INPUT"].startswith(f"https://{trigger['metadata']['accountName']}.blob."))
        # One pod has at least as many messages as it takes at a time.
        self.assertGreaterEqual(int(trigger["metadata"]["queueLength"]), int(worker["DROPSCORE_WORKERS"]))

    def test_workload_identity(self):
        cluster = self.clusters["aks"]
        for name, template in cluster.templates():
            self.assertEqual(template["metadata"]["labels"]["azure.workload.identity/use"], "true")
            account = cluster.named["ServiceAccount", template["spec"]["serviceAccountName"]]
            self.assertIn(account["metadata"]["annotations"]["azure.workload.identity/client-id"], WORDS.values(), name)
        (identity,) = cluster.of("TriggerAuthentication")
        self.assertEqual(identity["spec"]["podIdentity"]["identityId"], WORDS["WORKER_CLIENT_ID"])

    def test_every_word_is_explained_and_put_in(self):
        readme = (MANIFESTS / "README.md").read_text()
        made = json.dumps([*self.clusters["aks"].resources, *self.gateway])
        for word, value in WORDS.items():
            self.assertIn(rf"s/\b{word}\b/", readme)
            self.assertNotRegex(made, rf"\b{word}\b")
            self.assertIn(value, made)
        for _, secret in MADE_BY_THE_READER:
            self.assertIn(secret, readme)


class Program(KubernetesTest):
    """What the manifests say to the program, it understands."""

    def ours(self):
        for cluster, name, pod, container in self.each_container():
            if name.startswith("dropscore-"):
                yield cluster, pod, container

    def test_it_knows_every_argument_and_variable(self):
        options, variables = options_of()
        for cluster, _, container in self.ours():
            command, *arguments = container["args"]
            own_options, own_variables = options_of(command)
            for argument in arguments:
                self.assertIn(argument.partition("=")[0], options | own_options)
            known = variables | own_variables | {"DROPSCORE_CONNECTION_STRING", "DROPSCORE_API_KEY"}
            for variable in cluster.environment(container):
                self.assertIn(variable, known, f"of {command}")

    def test_it_takes_every_value(self):
        """It refuses a wrong value before it looks at anything else, and then says which; a model that is not there comes later."""
        for cluster, _, container in self.ours():
            environment = {**OURS, **IMAGE_VARIABLES, **cluster.environment(container),
                           "DROPSCORE_MODEL": "/nowhere", "DROPSCORE_INPUT": "/nowhere", "DROPSCORE_OUTPUT": "/nowhere.out"}
            done = subprocess.run([PROGRAM, *container["args"]], env=environment, capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertIn("/nowhere", done.stderr)
            wrong = subprocess.run([PROGRAM, *container["args"]], env={**environment, "DROPSCORE_LOG_LEVEL": "loud"},
                                   capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(wrong.returncode, 2, wrong.stderr)
            self.assertNotIn("/nowhere", wrong.stderr)

    def test_it_answers_its_probes_and_ends_when_told(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="dropscore-kubernetes-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / "train.csv").write_text(run(PROGRAM, "sample", "--rows", "600"))
        run(PROGRAM, "train", str(folder / "train.csv"), "--out", str(folder / "model"), "--models", "logistic")
        for cluster, pod, container in self.ours():
            port = free_port()
            told = cluster.environment(container)
            told.pop("DROPSCORE_QUEUE", None)  # folders stand for the containers, and a folder has none
            told.update({**OURS, "DROPSCORE_HOST": "127.0.0.1", "DROPSCORE_PORT": "0",
                         "DROPSCORE_OPS_HOST": "127.0.0.1", "DROPSCORE_OPS_PORT": str(port), "DROPSCORE_MODEL": str(folder / "model"),
                         "DROPSCORE_INPUT": str(folder / "in"), "DROPSCORE_OUTPUT": str(folder / "out")})
            with subprocess.Popen([PROGRAM, *container["args"]], env=told, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                self.addCleanup(process.kill)
                paths = {container[probe]["httpGet"]["path"] for probe in container if probe.endswith("Probe")}
                self.assertEqual([status for path in paths if (status := self.answer(port, path)) != 200], [])
                process.terminate()
                self.assertEqual(process.wait(pod["terminationGracePeriodSeconds"]), 0)

    def answer(self, port, path):
        """Its status once it is 200, or what it is after a start-up probe's patience."""
        end = time.monotonic() + 60
        status = None
        while status != 200 and time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", path)
                status = connection.getresponse().status
                connection.close()
            except OSError:
                pass
            if status != 200:
                time.sleep(0.05)
        return status

    def test_it_has_time_to_end(self):
        for cluster, pod, container in self.ours():
            told = cluster.environment(container)
            delay = int(told.get("DROPSCORE_STOP_DELAY_S", 0))
            drain = int(told.get("DROPSCORE_DRAIN_S", API_DRAIN_SECONDS))
            self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], delay + drain + 15)
            if container["args"][0] == "serve":
                self.assertGreaterEqual(delay, 5, "nodes send requests for a while yet")

    def test_a_slow_clients_answer_has_room(self):
        for _, pod, container in self.ours():
            if container["args"][0] == "serve":
                (tmp,) = [volume for volume in pod["volumes"] if volume["name"] == "tmp"]
                self.assertGreater(quantity(tmp["emptyDir"]["sizeLimit"]), SPOOL_BYTES)
                self.assertGreater(quantity(container["resources"]["limits"]["ephemeral-storage"]),
                                   quantity(tmp["emptyDir"]["sizeLimit"]))

    def test_the_key_reaches_the_api_alone(self):
        for cluster, _, container in self.ours():
            self.assertEqual("DROPSCORE_API_KEY" in cluster.environment(container), container["args"][0] == "serve")


if __name__ == "__main__":
    unittest.main()

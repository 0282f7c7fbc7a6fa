"""deploy.sh run to its end: az replaced by one that remembers and refuses, skopeo pushing to a registry of the test."""
import json
import unittest

from deploy_support import ROOT, DeployTest
from registry import PASSWORD

QUICK = ["--no-smoke-test"]


def said_of(calls, *words):
    return [call for call in calls if call[:len(words)] == list(words)]


class RunTest(DeployTest):
    def test_a_first_run_makes_everything_in_order(self):
        done = self.deployed(*QUICK)
        state = self.state()
        self.assertEqual(state["subscriptions"], ["uploads-to-queue"])
        self.assertEqual(list(self.registry.manifests), [(ROOT / "VERSION").read_text().strip()])
        [digest] = self.registry.manifests.values()
        self.assertEqual(state["image"], f"{self.registry.address}/dropscore@{digest}")
        self.assertEqual(state["parameters"]["operatorPrincipalId"], "operator-id")
        self.assertEqual(state["parameters"]["apiMaxReplicas"], 3)
        self.assertIn("/listSecrets?", done.stdout)
        self.assertTrue((self.fake / "blobs/models/current/model.json").exists())

    def test_the_next_run_changes_nothing(self):
        self.deployed(*QUICK)
        first = self.state()
        self.deployed(*QUICK)
        self.assertEqual(self.state(), first, "the key, and when it was set, above all")

    def test_keys_and_tokens_are_neither_said_nor_left_behind(self):
        first = self.deployed(*QUICK)
        second = self.deployed("--new-api-key", *QUICK)
        said = self.everything_said(first, second)
        for secret in [*self.state()["api_key"].split(","), PASSWORD]:
            self.assertGreaterEqual(len(secret), 12)
            self.assertNotIn(secret, said)
        self.assertEqual([path for path in self.folder.iterdir() if path.name.startswith("tmp.")], [])

    def test_a_key_is_changed_in_two_runs(self):
        self.deployed(*QUICK)
        old, set_on = self.state()["api_key"], self.state()["api_key_set_on"]
        self.assertRegex(old, "^[0-9a-f]{48}$")
        self.fake.joinpath("state.json").write_text(json.dumps({**self.state(), "api_key_set_on": "2020-01-01T00:00:00Z"}))
        self.deployed("--new-api-key", *QUICK)
        new, _, kept = self.state()["api_key"].partition(",")
        self.assertEqual(kept, old)
        self.assertNotEqual(new, old)
        self.assertGreaterEqual(self.state()["api_key_set_on"], set_on)
        self.deployed("--drop-old-api-keys", *QUICK)
        self.assertEqual(self.state()["api_key"], new)

    def test_a_key_of_ones_own(self):
        path = self.folder / "key"
        path.write_text("a-key-of-my-own-0123456789\n")
        self.deployed("--api-key-file", path, *QUICK)
        self.assertEqual(self.state()["api_key"], "a-key-of-my-own-0123456789")
        self.deployed("--api-key-file", "-", *QUICK, stdin="another-key-0123456789,a-key-of-my-own-0123456789\n")
        self.assertEqual(self.state()["api_key"], "another-key-0123456789,a-key-of-my-own-0123456789")
        for bad in ("short", 'quote"0123456789abcdef', "x" * 200):
            done = self.deploy("--api-key-file", "-", *QUICK, stdin=bad + "\n")
            self.assertEqual(done.returncode, 2)
            self.assertIn("16 to 128", done.stderr)
            self.assertNotIn(bad, done.stdout + done.stderr)

    def test_the_trigger_is_changed_and_only_one_is_left(self):
        self.deployed(*QUICK)
        self.deployed("--trigger", "function", *QUICK)
        self.assertEqual(self.state()["subscriptions"], ["uploads-to-function"])
        self.assertTrue(self.state()["roles"])
        self.deployed(*QUICK)
        self.assertEqual(self.state()["subscriptions"], ["uploads-to-queue"])
        self.assertEqual(self.state()["roles"], [], "the function keeps no role on customers' data")

    def test_the_code_is_there_before_the_function_is_told_of_uploads(self):
        self.deployed("--trigger", "function", *QUICK)
        calls = [" ".join(call) for call in self.calls()]
        code = next(at for at, call in enumerate(calls) if "config-zip" in call)
        keys = [at for at, call in enumerate(calls) if call.startswith("functionapp keys list")]
        told = next(at for at, call in enumerate(calls) if "stage=all" in call)
        self.assertEqual(keys, [code + 1, code + 2, code + 3], "asked until the host has made its key")
        self.assertLess(keys[-1], told)

    def test_a_role_that_does_not_count_yet_is_waited_for(self):
        self.settings(blobs="folder", roles_late=3)
        done = self.deployed(*QUICK)
        self.assertEqual(done.stdout.count("waiting for a new role"), 2)
        for words in (("storage", "blob", "upload"), ("functionapp", "deployment", "source", "config-zip")):
            self.assertEqual(len(said_of(self.calls(), *words)), 4)

    def test_a_service_principal_deploys_too(self):
        self.settings(blobs="folder", user_type="servicePrincipal")
        self.deployed(*QUICK)
        given = self.state()["parameters"]
        self.assertEqual((given["operatorPrincipalId"], given["operatorPrincipalType"]), ("sp-id", "ServicePrincipal"))

    def test_an_operator_of_any_kind_is_taken_by_its_id(self):
        self.deployed("--operator", "a-groups-id", *QUICK)
        given = self.state()["parameters"]
        self.assertEqual((given["operatorPrincipalId"], given["operatorPrincipalType"]), ("a-groups-id", ""))

    def test_paths_are_from_where_one_stands(self):
        self.folder.joinpath("settings.json").write_text(json.dumps({"parameters": {"apiMaxReplicas": {"value": 7}}}))
        self.deployed("--parameters", self.folder.joinpath("settings.json").relative_to("/"), *QUICK)
        self.assertEqual(self.state()["parameters"]["apiMaxReplicas"], 7)

    def test_what_if_deploys_nothing(self):
        self.deployed(*QUICK)
        self.forget_calls()
        done = self.deployed("--what-if")
        self.assertIn("no change", done.stdout)
        self.assertEqual(said_of(self.calls(), "deployment", "group", "create"), [])
        [call] = said_of(self.calls(), "deployment", "group", "what-if")
        self.assertIn(f"image={self.state()['image']}", call)

    def test_delete_asks_for_the_groups_name(self):
        self.deployed(*QUICK)
        for answer in ("", "y\n", "dropscor\n"):
            done = self.deploy("--delete", stdin=answer)
            self.assertEqual(done.returncode, 1)
            self.assertIn("Nothing was deleted", done.stdout)
        self.assertIn("group", self.state())
        self.deployed("--delete", stdin="dropscore\n")
        self.assertEqual(self.state(), {})
        self.deployed(*QUICK)
        self.deployed("--delete", "--yes")
        self.assertEqual(self.state(), {})


class FailureTest(DeployTest):
    def calls_of_a_run(self, *arguments):
        self.forget_calls()
        self.deployed(*QUICK, *arguments)
        return len(self.calls())

    def test_wherever_az_fails_the_next_run_goes_on(self):
        calls = self.calls_of_a_run()
        complete = self.state()
        self.assertGreater(calls, 12)
        for failing in range(1, calls + 1):
            self.fake.joinpath("state.json").unlink()
            self.forget_calls()
            self.settings(blobs="folder", fail_at=failing)
            done = self.deploy(*QUICK)
            said = done.stdout + done.stderr
            if done.returncode == 0:  # a run from nothing has fewer calls
                self.assertGreater(failing, len(self.calls()))
                continue
            self.assertEqual(done.returncode, 1, said)
            self.assertRegex(done.stderr, r"stopped in step \d+ of 10 \(.*\)\. This failed:\n    az .*\nWhat to do: .*\.\n")
            self.assertIn("something went wrong", done.stderr)
            key = self.state().get("api_key")
            self.settings(blobs="folder")
            self.deployed(*QUICK)
            self.assertEqual(sorted(self.state()), sorted(complete))
            if key:
                self.assertEqual(self.state()["api_key"], key, "a key that was deployed stays")

    def test_what_azure_says_is_answered_with_what_to_do(self):
        for says, do in (("Please run 'az login' to setup account.", "log in"),
                         ("(AuthorizationFailed) ... 'Microsoft.Authorization/roleAssignments/write'", "may not give roles"),
                         ("(AuthorizationFailed) The client does not have authorization", "needs Contributor"),
                         ("(StorageAccountAlreadyTaken) The storage account named x is already taken.", "--suffix"),
                         ("(MissingSubscriptionRegistration) The subscription is not registered", "az provider register"),
                         ("(LocationNotAvailableForResourceType) The provided location", "--location"),
                         ("(QuotaExceeded) too many", "quota"), ("(RequestDisallowedByPolicy) no", "policy"),
                         ("(RoleAssignmentUpdateNotPermitted) Tenant ID, application ID", "deleted by hand"),
                         ("main.bicep(1,1) : Error BCP018: Expected", "az bicep upgrade"),
                         ("(Teapot)", "az deployment operation group list")):
            self.fake.joinpath("state.json").unlink(missing_ok=True)
            self.forget_calls()
            self.settings(blobs="folder", fail_at=7, fail_with=says)
            done = self.deploy(*QUICK)
            self.assertEqual(done.returncode, 1)
            self.assertIn("step 5 of 10", done.stderr)
            self.assertIn(says, done.stderr)
            self.assertIn(do, done.stderr.partition("What to do:")[2])

    def test_a_push_that_is_refused(self):
        self.settings(blobs="folder")
        self.folder.joinpath("image.tar").write_bytes(b"no archive")
        done = self.deploy(*QUICK)
        self.assertEqual(done.returncode, 1)
        self.assertIn("(Push the image)", done.stderr)
        self.assertNotIn("all", self.state())

    def test_what_is_missing_here_is_said_before_anything_is_made(self):
        (self.model / "model.json").unlink()
        done = self.deploy(*QUICK)
        self.assertEqual((done.returncode, self.calls()), (2, []))
        self.assertIn("dropscore train", done.stderr)

    def test_an_azure_cli_that_is_too_old(self):
        self.settings(blobs="folder", version="2.45.0")
        done = self.deploy(*QUICK)
        self.assertEqual(done.returncode, 1)
        self.assertIn("2.60.0 or newer", done.stderr)
        self.assertEqual(self.state(), {})


if __name__ == "__main__":
    unittest.main()

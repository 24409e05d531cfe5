"""Whose cluster, and as whom: every kind of kubeconfig, and what is said where one is of no use."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.component.console.conftest import Town, status
from tests.parts.api_proxy import before_api_server
from tests.parts.apiserver import free_ports
from tests.parts.console import Console
from tests.parts.proxy import Answer

pytestmark = pytest.mark.slow


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def written(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def reader(town: Town) -> dict[str, Any]:
    """The kubeconfig of somebody with a token who may read ranges."""
    town.as_user("reader", ("cyroid.io", "rangeimages", ["get", "list"]))
    town.ranges("a", status(1, 1))
    return document(town.api.kubeconfig_for(f"reader-{town.name}"))


def looks(town: Town, kubeconfig: Path | None, *arguments: str, **environment: str) -> str:
    """What somebody with this kubeconfig sees of the range."""
    console = Console(kubeconfig, town.home, **environment)
    return console.says("status", f"{town.name}/a", "-o", "name", *arguments)


def test_without_a_kubeconfig_it_says_where_it_looked(town: Town) -> None:
    line = Console(None, town.home).complains("status")
    assert line == (
        "kubectl cyroid: no kubeconfig: ~/.kube/config does not exist;"
        " set KUBECONFIG or give --kubeconfig FILE"
    )
    assert "check --kubeconfig" in town.console.complains("status", "--kubeconfig", "/none")


def test_the_usual_place_and_the_options_are_those_of_kubectl(
    town: Town, reader: dict[str, Any]
) -> None:
    (town.home / ".kube").mkdir()
    usual = written(town.home / ".kube" / "config", reader)
    assert looks(town, None) == f"{town.name}/a\n"
    other = written(town.home / "other", reader)
    usual.unlink()
    assert looks(town, None, "--kubeconfig", str(other)) == f"{town.name}/a\n"


def test_contexts_and_their_namespaces_are_heeded(town: Town, reader: dict[str, Any]) -> None:
    there = {"cluster": "test", "user": "test", "namespace": town.name}
    reader["contexts"].append({"name": "there", "context": there})
    console = Console(written(town.home / "config", reader), town.home)
    line = console.complains("status", "a")
    assert "no RangeImages a in namespace default" in line
    assert console.says("--context", "there", "status", "a", "-o", "name") == f"{town.name}/a\n"
    line = console.complains("status", "--context", "nowhere")
    assert "nowhere" in line
    assert "kubectl config view" in line


def test_several_kubeconfigs_are_joined_and_the_first_current_context_counts(
    town: Town, reader: dict[str, Any]
) -> None:
    users = {"apiVersion": "v1", "kind": "Config", "users": reader.pop("users")}
    first = written(town.home / "first", reader)
    second = written(town.home / "second", {**users, "current-context": "none"})
    assert looks(town, None, KUBECONFIG=f"{first}:{second}:/none") == f"{town.name}/a\n"


def with_plugin(reader: dict[str, Any], script: Path, version: str = "v1") -> dict[str, Any]:
    api = f"client.authentication.k8s.io/{version}"
    how = {"apiVersion": api, "command": sys.executable, "args": [str(script)]}
    how["interactiveMode"] = "Never"
    (entry,) = reader["users"]
    entry["user"] = {"exec": how}
    return reader


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_plugin_gives_the_token(town: Town, reader: dict[str, Any], version: str) -> None:
    token = reader["users"][0]["user"]["token"]
    told = {"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential"}
    script = town.home / "plugin.py"
    script.write_text(f"print({json.dumps({**told, 'status': {'token': token}})!r})")
    config = written(town.home / "config", with_plugin(reader, script, version))
    assert looks(town, config) == f"{town.name}/a\n"


def test_a_plugin_that_fails_is_not_nobody(town: Town, reader: dict[str, Any]) -> None:
    script = town.home / "plugin.py"
    script.write_text("import sys; sys.exit('sign in first')")
    config = written(town.home / "config", with_plugin(reader, script))
    line = Console(config, town.home).complains("status")
    assert "no credentials for context test" in line
    assert "sign in first" in line


def test_a_client_certificate_beside_a_ca_inside_the_file_is_enough(town: Town) -> None:
    town.ranges("a", status(1, 1))
    assert looks(town, town.api.kubeconfig) == f"{town.name}/a\n"


def test_a_ca_that_did_not_sign_is_told(town: Town, reader: dict[str, Any]) -> None:
    del reader["clusters"][0]["cluster"]["certificate-authority"]
    line = Console(written(town.home / "config", reader), town.home).complains("status")
    assert "certificate" in line.lower()
    reader["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    config = written(town.home / "config", reader)
    done = Console(config, town.home).run("status", f"{town.name}/a", "-o", "name")
    assert done.stdout == f"{town.name}/a\n"


def test_an_expired_token_and_a_dead_server_are_told_apart(
    town: Town, reader: dict[str, Any]
) -> None:
    reader["users"][0]["user"]["token"] = "wrong"
    line = Console(written(town.home / "config", reader), town.home).complains("status")
    assert "does not know you (401)" in line
    assert "kubectl auth whoami" in line
    (port,) = free_ports(1)
    reader["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
    line = Console(written(town.home / "config", reader), town.home).complains("status")
    assert f"no answer from the Kubernetes API at https://127.0.0.1:{port}" in line
    assert "refused" in line
    assert "kubectl config current-context" in line


def test_a_proxy_of_the_kubeconfig_is_used(town: Town, reader: dict[str, Any]) -> None:
    (port,) = free_ports(1)
    reader["clusters"][0]["cluster"]["proxy-url"] = f"http://127.0.0.1:{port}"
    line = Console(written(town.home / "config", reader), town.home).complains("status")
    assert "through the proxy" in line
    assert "refused" in line


def test_custom_resources_that_are_not_installed_are_told(
    town: Town, reader: dict[str, Any]
) -> None:
    config = written(town.home / "config", reader)
    with before_api_server(config) as (proxy, path):
        proxy.on("GET", "/apis/cyroid.io/.*", Answer(404, body=b"404 page not found"))
        console = Console(path, town.home)
        for command in (["status"], ["status", "a"], ["images"], ["explain", "a"], ["wait"]):
            line = console.complains(*command)
            assert "the custom resources of cyroid-images are not installed" in line
            assert "helm install" in line


def test_each_right_that_is_missing_is_named(town: Town) -> None:
    town.cache({})
    nobody = town.as_user("nobody")
    for command, word in (
        (["status", "-A"], 'cannot list resource "rangeimages"'),
        (["status", f"{town.name}/a"], 'cannot get resource "rangeimages"'),
        (["images"], 'cannot list resource "imagecaches"'),
        (["push", "a", "--cache", town.name], 'cannot get resource "imagecaches"'),
    ):
        line = nobody.complains(*command)
        assert word in line
        assert "ask for the ClusterRole cyroid-view" in line


def test_help_version_and_completion_need_no_cluster(town: Town) -> None:
    alone = Console(None, town.home)
    assert "support-bundle" in alone.says("--help")
    assert "ends with 0 when all are ready" in alone.says("wait", "-h")
    assert alone.says("version", "--client").startswith("tool")
    assert "complete" in alone.says("completion", "bash")
    proposed = alone.says("__complete", "--", "recon").splitlines()
    assert [line.partition("\t")[0] for line in proposed] == ["reconcile", ":4"]
    assert "No such command 'none'" in alone.complains("none", code=2)
    assert "v1." in town.console.says("version")


def test_a_reader_that_has_enough_ends_it_without_a_word(town: Town) -> None:
    town.ranges("a", status(1, 1))
    for arguments in (["status", "-n", town.name], ["status", "-w", "-n", town.name], ["--help"]):
        done = town.console.unread(*arguments)
        assert (done.returncode, done.stderr) == (1, b""), arguments


def test_rights_in_one_namespace_are_enough_there(town: Town) -> None:
    town.ranges("a", status(1, 1))
    account = f"local-{town.name}"
    user = Console(town.api.kubeconfig_for(account), town.home)
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{town.name}"
    rule = {"apiGroups": ["cyroid.io"], "resources": ["rangeimages"]}
    role = {"metadata": {"name": "r"}, "rules": [{**rule, "verbs": ["get", "list", "watch"]}]}
    town.api.call("POST", f"{rbac}/roles", role)
    subject = {"kind": "ServiceAccount", "name": account, "namespace": "default"}
    of = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    binding = {"metadata": {"name": "r"}, "subjects": [subject], "roleRef": of}
    town.api.call("POST", f"{rbac}/rolebindings", binding)
    for arguments in (["status", f"{town.name}/a"], ["wait", f"{town.name}/a"]):
        assert user.run(*arguments).returncode == 0, arguments
    assert user.run("status", "-n", town.name).returncode == 0
    assert "at the cluster scope" in user.complains("status", "-A")

"""Patient media stay on this machine, however a model class is told where its server is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from semiology.privacy import remote_models as remote_guard
from semiology.privacy.addresses import is_loopback, keep_off_proxies
from semiology.privacy.local_models import IN_PROCESS, OURS, SERVERS
from semiology.privacy.socket_guard import allow_other_machines

LOCAL = "http://127.0.0.1:8000/v1"
ELSEWHERE = "http://192.0.2.1:9/v1"


@pytest.fixture(autouse=True)
def _no_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    names = (
        "SEMIOLOGY_ALLOW_MODELS",
        "VLLM_HOST_IP",
        "SEMIOLOGY_ALLOW_REMOTE",
        remote_guard.AZURE_VARIABLE,
        *remote_guard.ADDRESS_VARIABLES,
    )
    for name in (*names, "no_proxy", "NO_PROXY", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "")  # so that what the guard sets is taken back
        monkeypatch.delenv(name)
    yield
    allow_other_machines()


def test_every_class_of_lmms_eval_that_talks_to_a_server_is_known() -> None:
    import lmms_eval.models
    from lmms_eval.models import MODEL_REGISTRY_V2

    network = re.compile(r"OpenAI\(|requests\.post|genai\.|anthropic\.|nim_base_url|litellm\.|dashscope\.")
    folder = Path(lmms_eval.models.__file__).parent
    talking = {path.stem for path in folder.glob("*/*.py") if network.search(path.read_text())}
    names = set()
    for name in MODEL_REGISTRY_V2.list_model_names():
        manifest = MODEL_REGISTRY_V2.get_manifest(name)
        paths = (manifest.chat_class_path, manifest.simple_class_path)
        if any(path and path.rsplit(".", 2)[-2] in talking for path in paths):
            names.add(name)
    assert len(names) >= 10
    assert not names & (IN_PROCESS | OURS - {"semiology_openai"})
    assert names - {"whisper_tt"} <= SERVERS | remote_guard.CLOUD_MODELS


def test_all_of_our_own_classes_are_known() -> None:
    from semiology.harness.plugin import manifests

    assert {each.model_id for each in manifests()} == OURS


def test_the_list_of_classes_names_classes_that_exist() -> None:
    from lmms_eval.models import MODEL_REGISTRY_V2

    known = set(MODEL_REGISTRY_V2.list_model_names())
    assert known >= IN_PROCESS | SERVERS - OURS
    assert not IN_PROCESS & (SERVERS | remote_guard.CLOUD_MODELS)


@pytest.mark.parametrize(
    ("model", "model_args"),
    [
        ("openai", ""),
        ("openai", "base_url=http://10.0.0.7:8000/v1"),
        ("async_openai", "base_url=http://127.evil.example/v1"),
        ("litellm", "base_url=http://localhost.example.org"),
        ("gemini", f"base_url={LOCAL}"),
        ("openai", f"base_url={LOCAL},base_url={ELSEWHERE}"),
        ("openai", f"base_url={ELSEWHERE},base_url={LOCAL}"),
        ("openai", {"base_url": ELSEWHERE}),
        ("srt_api", "host=192.0.2.1"),
        # names that the class ignores, so that it would take the provider's address
        ("openai", f"api_base={LOCAL}"),
        ("openai", "host=127.0.0.1"),
        ("litellm", f"api_base={LOCAL}"),
        ("async_openai", f"url={LOCAL}"),
        ("openai", f"base_url={LOCAL},azure_endpoint={ELSEWHERE}"),
        # Azure takes its own variable, whatever base_url says
        ("openai", f"base_url={LOCAL},azure_openai=True"),
        ("openai", f"base_url={LOCAL},azure_openai=1"),
        # what the client decodes is another host
        ("openai", "base_url=http://127.0.0.1:80%40evil.example/v1"),
        ("openai", "base_url=http://127.0.0.1@evil.example/v1"),
        # engines that spread over machines
        ("vllm", "model=x,distributed_executor_backend=ray"),
        ("vllm", "model=x,data_parallel_backend=ray"),
        ("vllm", "model=x,nnodes=2"),
        ("vllm", "model=x,data_parallel_address=192.0.2.1"),
        ("sglang", "model=x,dist_init_addr=192.0.2.1:5000"),
        ("sglang", "model=x,nnodes=2"),
        ("vllm", "model=x,--distributed-executor-backend=ray"),
        ("vllm", "model=x,distributed_executor_backend=my.Executor"),
        ("vllm", 'model=x,kv_transfer_config={"kv_connector":"P2pNcclConnector","kv_ip":"192.0.2.1"}'),
        ("vllm", "model=x,otlp_traces_endpoint=http://127.0.0.1:4317"),
        ("vllm", "model=x,data_parallel_rpc_port=9"),
        ("vllm", 'model=x,hf_overrides={"a":"https://192.0.2.1/x"}'),
        # classes that are not known to stay here, and arguments of others
        ("generation_api", "model=x"),
        ("whisper_tt", "pretrained=x"),
        ("thyme", "pretrained=x"),
        ("nobodys_class", ""),
        ("qwen2_5_vl", f"pretrained=x,base_url={ELSEWHERE}"),
        ("qwen2_5_vl", f"pretrained={ELSEWHERE}"),
        ("dummy", "allow_remote=True"),
        ("async_openai", f"base_url={LOCAL},mcp_server_path=tools.py"),
        ("aero_realtime_vllm", "pretrained=x,stage_overrides={}"),
        # providers of LiteLLM that ignore the address
        ("litellm", f"model=bedrock/x,base_url={LOCAL}"),
        # no HTTP address of this machine
        ("openai", "base_url=http://[::1%25eth0]:8000/v1"),
        ("openai", "base_url=file://127.0.0.1/v1"),
        ("openai", "base_url=ftp://127.0.0.1/v1"),
        ("srt_api", "host=evil://127.0.0.1"),
        ("srt_api", "host=127.0.0.1@192.0.2.1"),
        ("semiology_openai", f"base_url={ELSEWHERE}"),
        ("semiology_openai", ""),
    ],
)
def test_patient_media_are_not_sent_to_another_machine(model: str, model_args: str) -> None:
    with pytest.raises(remote_guard.RemoteError, match="SEMIOLOGY_ALLOW_REMOTE"):
        remote_guard.check_address(model, model_args)


@pytest.mark.parametrize("variable", remote_guard.ADDRESS_VARIABLES)
def test_an_address_from_the_environment_is_looked_at(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, ELSEWHERE)
    with pytest.raises(remote_guard.RemoteError, match=re.escape(ELSEWHERE)):
        remote_guard.check_address("async_openai", "model_version=x")


def test_the_refusal_names_what_is_sent_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(remote_guard.AZURE_VARIABLE, "https://clinic.openai.azure.com")
    with pytest.raises(remote_guard.RemoteError, match=r"frames.*sound.*clinic\.openai\.azure\.com"):
        remote_guard.check_address("openai", f"base_url={LOCAL},azure_openai=True")


@pytest.mark.parametrize("address", [LOCAL, "http://localhost:1/v1", "http://[::1]:9"])
def test_a_server_on_this_machine_is_allowed(address: str) -> None:
    remote_guard.check_address("openai", f"model_version=x,base_url={address},azure_openai=False")


@pytest.mark.parametrize(
    ("model", "model_args"),
    [
        ("vllm", "model=x,tensor_parallel_size=4,distributed_executor_backend=mp,nnodes=1"),
        ("sglang", "model=x,dist_init_addr=127.0.0.1:5000"),
        ("qwen2_5_vl", "pretrained=x"),
        ("vllm", 'model=x,limit_mm_per_prompt={"video":1,"image":0},max_model_len=8192'),
        ("qwen3_vl", "pretrained=x,system_prompt=as in https://example.org"),
        ("semiology_jsonl", "command=python answer.py --home http://192.0.2.1"),
    ],
)
def test_an_engine_on_this_machine_is_allowed(model: str, model_args: str) -> None:
    remote_guard.check_address(model, model_args)


def test_another_machine_is_allowed_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_ALLOW_REMOTE", "1")
    remote_guard.check_address("openai", f"base_url={ELSEWHERE}")
    remote_guard.check_address("vllm", "distributed_executor_backend=ray")
    remote_guard.check_client(SimpleNamespace(client=SimpleNamespace(base_url=ELSEWHERE)))


def test_a_class_that_the_user_has_read_is_allowed_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(remote_guard.RemoteError, match="SEMIOLOGY_ALLOW_MODELS=my_class"):
        remote_guard.check_address("my_class", "pretrained=x,new=1")
    monkeypatch.setenv("SEMIOLOGY_ALLOW_MODELS", "another,my_class")
    remote_guard.check_address("my_class", "pretrained=x,new=1")
    with pytest.raises(remote_guard.RemoteError, match="192"):
        remote_guard.check_address("my_class", f"url={ELSEWHERE}")


def test_several_machines_of_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUP_WORLD_SIZE", "1")
    remote_guard.check_address("qwen2_5_vl", "pretrained=x")
    monkeypatch.setenv("GROUP_WORLD_SIZE", "2")
    with pytest.raises(remote_guard.RemoteError, match="2 machines"):
        remote_guard.check_address("qwen2_5_vl", "pretrained=x")


def test_an_address_that_is_read_later_cannot_replace_the_one_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", LOCAL)
    remote_guard.check_address("openai", "model_version=x")
    # lmms-eval reads a .env file after this check; it leaves variables that exist
    assert os.environ["OPENAI_API_BASE"] == LOCAL


def test_the_client_that_was_made_is_looked_at_too() -> None:
    from openai import OpenAI

    local = OpenAI(api_key="none", base_url=LOCAL)
    remote_guard.check_client(SimpleNamespace(client=local))
    remote_guard.check_client(SimpleNamespace(client=object()))
    remote_guard.check_client(object())
    with pytest.raises(remote_guard.RemoteError, match="192"):
        remote_guard.check_client(SimpleNamespace(client=OpenAI(api_key="none", base_url=ELSEWHERE)))


def test_a_proxy_does_not_get_what_goes_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    def proxied(address: str) -> bool:
        client = httpx.Client()
        return client._transport_for_url(httpx.URL(address)) is not client._transport

    assert proxied(LOCAL)
    remote_guard.check_address("openai", f"base_url={LOCAL}")
    assert not proxied(LOCAL)
    assert proxied("http://example.org/")


def test_hosts_that_the_user_excepted_from_the_proxy_stay_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intra.example")
    monkeypatch.setenv("no_proxy", "intra.example")
    keep_off_proxies([LOCAL, LOCAL, "localhost:1"])
    assert os.environ["no_proxy"] == "intra.example,127.0.0.1,localhost"


@pytest.mark.parametrize(
    "address",
    [
        "", "http://", "http://[::1", "0.0.0.0", "http://127.0.0.1%2eevil.example", "http://[::1%25eth0]/v1",
        "::1%eth0", "file://127.0.0.1/x", "ftp://localhost", "evil://127.0.0.1", "http://user@127.0.0.1",
        "http://127.0.0.1:80:81", "http://127.0.0.1:x", "http://127.1", "http://2130706433", "http://0x7f000001",
        "http://localhost.", "http://ⓛocalhost", "http://127.0.0.1\\@evil.example", "http://127.0.0.1 .evil.example",
        "//evil.example//127.0.0.1", "localhost.evil.example", "http://127.0.0.1,evil.example",
    ],
)  # fmt: skip
def test_what_is_no_loopback_address_is_none(address: str) -> None:
    assert not is_loopback(address)

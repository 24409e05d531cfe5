"""What the probes answer: by the checks that they are given, and by nothing else."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from cyroid_images.probes import Age, Probes
from tests.parts.apiserver import free_ports


@pytest.mark.row("O7")
def test_a_loop_that_does_not_turn_is_not_alive() -> None:
    checks: dict[str, bool | Age] = {"sweep": True, "loop": Age(0.42, 30.0)}
    ready = {"rights": True, "lease": False}
    probes = Probes(lambda: checks, lambda: ready, lambda: (b"up 1\n", "text/plain; version=0.0.4"))

    async def scenario() -> list[tuple[int, str]]:
        (port,) = free_ports(1)
        await probes.serve("127.0.0.1", port)
        answers = []
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                for path in ("/healthz", "/readyz", "/metrics"):
                    answer = await client.get(path)
                    answers.append((answer.status_code, answer.text))
                checks["loop"] = Age(31.0, 30.0)
                answer = await client.get("/healthz")
                answers.append((answer.status_code, answer.text))
        finally:
            await probes.close()
        return answers

    healthy, unready, metrics, dead = asyncio.run(scenario())
    assert healthy == (
        200,
        '{"sweep": true, "loop": {"ok": true, "age": 0.4, "limit": 30.0}}',
    )
    assert unready == (503, '{"rights": true, "lease": false}')
    assert metrics == (200, "up 1\n")
    assert dead == (
        503,
        '{"sweep": true, "loop": {"ok": false, "age": 31.0, "limit": 30.0}}',
    )

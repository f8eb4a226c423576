"""What is said of a build on which no plan runs as asked."""

from __future__ import annotations

from typing import Any

import pytest

from constraints.build import Build
from constraints.policy import Policy
from optimizer.search.judging import judge

NODE = {
    "nvidia-hgx-h200-8-gpu-baseboard": 1,
    "supermicro-sys-821ge-tnhr": 1,
    "intel-xeon-gold-6530": 2,
    "samsung-m321r2ga3eb0-cwm": 16,
}


@pytest.mark.parametrize("gbit_s", [25, 50])
def test_no_network_speed_is_said_that_nobody_chose(ask: Any, gbit_s: int) -> None:
    """No plan serves so many users: the build is judged by a plan over all its GPUs, whose network is as fast as the
    policy asks. What is missing is the gear of it, and no figure of the build has 25 Gbit/s."""
    policy = Policy({"interconnect.pp_gbit_s": gbit_s})
    market = ask("r1-671b", policy=policy, users=100_000)
    judged = judge(market, Build(2, NODE, {}))
    assert judged.row is None
    said = [finding.text for finding in judged.checks if finding.rule == "interconnect" and finding.status == "fail"]
    assert said
    assert not [text for text in said if "Gbit/s" in text]

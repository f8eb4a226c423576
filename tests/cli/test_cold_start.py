"""What a cold start loads: CP-SAT without pandas, which none of its models here uses."""

from __future__ import annotations

import subprocess
import sys


def answer(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip().splitlines()[-1]


def test_a_solve_loads_no_pandas() -> None:
    code = (
        "import sys; from optimizer.cli import main\n"
        "sys.argv = 'dsopt solve --budget 12000 --model r1-distill-qwen-14b --as-of 2026-11-24'.split()\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('ortools.sat.python.cp_model' in sys.modules, 'pandas' in sys.modules)"
    )
    assert answer(code) == "True False"


def test_series_of_variables_work_all_the_same() -> None:
    """CP-SAT's own functions for pandas find the real one, loaded before or after."""
    code = (
        "from constraints.cp_sat import cp_model\n"
        "m = cp_model.CpModel(); x = m.new_int_var(2, 5, 'x'); m.minimize(x)\n"
        "s = cp_model.CpSolver(); s.solve(m); first = s.value(x)\n"
        "import pandas as pd\n"
        "v = m.new_int_var_series('v', pd.Index(['a', 'b']), 0, 5)\n"
        "m.add(v.sum() >= 3); m.minimize(v.sum()); s.solve(m)\n"
        "print(first, type(v).__module__.split('.')[0], int(s.values(v).sum()))"
    )
    assert answer(code) == "2 pandas 3"
    assert answer("import pandas\n" + code) == "2 pandas 3"

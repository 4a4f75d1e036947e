"""Every contender trains, the goals are judged from the numbers, and the page shows them."""

from __future__ import annotations

import json

import pytest

from benchmarks import fresh, report, suite
from benchmarks.cli import main
from benchmarks.contenders import COMPILED, HAND_FUSED, KEEPING, eager
from benchmarks.networks import NETWORKS, SCALED, find


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("framework", ["minigrad", "torch"])
def test_networks_train_in_both_frameworks(name, framework):
    once = eager(NETWORKS[name], framework)
    first = once().item()
    assert all(once().item() != first for _ in range(2))


@pytest.mark.torch
def test_the_same_step_in_both_frameworks():
    ours, theirs = (eager(NETWORKS["dropout"], framework) for framework in ("minigrad", "torch"))
    for _ in range(3):
        assert ours().item() == pytest.approx(theirs().item(), rel=1e-5)


def test_networks_that_show_growth_are_found_too():
    assert find("64 x 16") is SCALED["64 x 16"]
    assert find("64 x 16").widths == (784, 64, 64, 10)


def run(seconds, megabytes):
    return {"seconds": seconds, "cpu": seconds, "megabytes": megabytes}


def results(eager_seconds=0.5e-3):
    seconds = {
        "minigrad": eager_seconds,
        COMPILED: 0.4e-3,
        "torch": 1e-3,
        "JAX jit": 0.5e-3,
        HAND_FUSED: 0.3e-3,
    }
    return {
        "commands": ["python -m benchmarks"],
        "machine": {"processor": "P", "cores": 2, "python": "3", "versions": {"numpy": "2"}, "blas": {"minigrad": []}},
        "rounds": 3,
        "steps": [{"network": "backprop", "threads": 1, "seconds": seconds}],
        "scaling": [{"what": what, "size": 4, "threads": 2, "seconds": seconds} for what in ("batch", "width")],
        "runs": [{"experiment": "mnist_mlp", "minigrad": run(1.0, 650.0), "torch": run(2.0, 1000.0)}],
    }


def test_goals_are_judged_by_the_numbers():
    found = {(row.what, row.rival): (round(row.ratio, 2), row.met) for row in report.goals(results())}
    assert found == {
        ("step, eager", "torch"): (0.5, True),
        ("step, compiled", "JAX jit"): (0.8, True),
        ("step, compiled", HAND_FUSED): (1.33, False),
        ("peak memory of a run", "torch"): (0.65, False),
    }
    assert not next(iter(report.goals(results(eager_seconds=0.71e-3)))).met


def test_page_and_figures(tmp_path):
    suite.write(results(), tmp_path)
    text = (tmp_path / suite.PAGE).read_text()
    assert "2 of 4 met" in text
    assert "| step, eager | 784-200-100-10, batch 100 | 1 | 500 µs | torch | 1,000 µs |" in text
    for name in ("steps-1-thread.png", "scaling.png"):
        assert (tmp_path / name).stat().st_size > 10_000
        assert name in text
    (tmp_path / suite.PAGE).unlink()
    main(["report", "--out", str(tmp_path)])
    assert (tmp_path / suite.PAGE).read_text() == text


def test_a_worker_measures_in_a_process_of_its_own():
    seconds = fresh.interleaved("first step", ("minigrad", HAND_FUSED), 1, "tiny", rounds=1)
    assert 0 < seconds["minigrad"] < 60
    assert 0 < seconds[HAND_FUSED] < 60


def test_a_profile_names_the_parts_of_a_step():
    found = fresh.measure("profile", "minigrad", 1, "tiny")["shares"]
    assert {"linear", "SGD.step", "between operations"} <= found.keys()
    assert sum(found.values()) == pytest.approx(1)
    table = report.profile_table([{"network": "tiny", "threads": 1, "shares": {"_a": 0.7, "b": 0.29, "c": 0.01}}])
    assert table.endswith("| 20-20-1, batch 16 | 1 | a 70%, b 29% |")


def test_steering_variables_are_taken_away(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE" not in fresh.environment(1)
    assert fresh.environment(1)["OPENBLAS_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in fresh.environment()


def test_a_failing_worker_says_why():
    with pytest.raises(SystemExit, match="KeyError: 'nobody'"):
        fresh.measure("steps", "nobody", 1)


def test_results_are_json(tmp_path):
    suite.write(results(), tmp_path)
    assert json.loads((tmp_path / suite.RESULTS).read_text())["steps"] == results()["steps"]


def test_whole_runs_are_kept_and_not_repeated(tmp_path, monkeypatch, capsys):
    asked = []

    def stand_in(name, side, epochs, out, threads):
        asked.append((name, side, epochs, threads))
        return run(1.0 if side == "minigrad" else 2.0, 100.0)

    monkeypatch.setattr(fresh, "whole_run", stand_in)
    arguments = ["runs", "mnist_mlp", "mnist_logistic", "--epochs", "3", "--threads", "1"]
    main([*arguments, "--file", str(tmp_path / "runs.json")])
    assert asked == [(n, s, 3, 1) for n in ("mnist_mlp", "mnist_logistic") for s in ("minigrad", "torch")]
    assert "all: minigrad 2.0 s, 100 MB; torch 4.0 s, 100 MB; ratio 0.50" in capsys.readouterr().out
    main([*arguments, "--file", str(tmp_path / "runs.json")])
    assert len(asked) == 4
    main([*arguments[:-1], "2", "--file", str(tmp_path / "runs.json")])  # two threads: other conditions
    assert len(asked) == 8


def test_a_side_that_is_known_is_not_run_again(tmp_path, monkeypatch):
    file, asked = tmp_path / "runs.json", []

    def stand_in(name, side, epochs, out, threads):
        asked.append((name, side))
        if asked == [("mnist_mlp", "minigrad"), ("mnist_mlp", "torch")]:
            raise KeyboardInterrupt
        return run(1.0, 100.0)

    monkeypatch.setattr(fresh, "whole_run", stand_in)
    arguments = ["runs", "mnist_mlp", "--threads", "1", "--file", str(file)]
    with pytest.raises(KeyboardInterrupt):
        main(arguments)
    found = json.loads(file.read_text())
    assert found["runs"] == []
    assert found["half"] == [{"experiment": "mnist_mlp", "minigrad": run(1.0, 100.0)}]
    main(arguments)
    assert asked[2:] == [("mnist_mlp", "torch")]
    assert [kept["experiment"] for kept in json.loads(file.read_text())["runs"]] == ["mnist_mlp"]


@pytest.mark.parametrize("side", ["minigrad", "torch"])
def test_a_whole_run_is_measured(side, tmp_path):
    found = fresh.whole_run("mnist_small_mlp", side, 1, str(tmp_path), 1, "--data", "digits", "--limit", "200")
    assert 0 < found["cpu"] <= 2 * found["seconds"]
    assert 30 < found["megabytes"] < 4000
    assert (tmp_path / "mnist_small_mlp" / "report.md").exists()


def test_runs_on_one_machine_are_joined(tmp_path):
    suite.write(results(), tmp_path)
    other = results(eager_seconds=0.9e-3)
    other["steps"].append({**other["steps"][0], "threads": 2})
    del other["runs"]
    suite.add(other, tmp_path, "python -m benchmarks --rounds 3")
    both = json.loads((tmp_path / suite.RESULTS).read_text())
    assert [(s["threads"], s["seconds"]["minigrad"]) for s in both["steps"]] == [(1, 0.9e-3), (2, 0.9e-3)]
    assert both["runs"] == results()["runs"]
    assert both["commands"] == ["python -m benchmarks", "python -m benchmarks --rounds 3"]
    other["machine"] = {**other["machine"], "cores": 64}
    suite.add(other, tmp_path, "elsewhere")
    assert "runs" not in json.loads((tmp_path / suite.RESULTS).read_text())


def test_the_readme_tells_ratios_of_steps_and_of_whole_runs():
    found = results(eager_seconds=0.71e-3)
    found["evaluation"] = [
        {"network": n, "threads": 1, "seconds": {"minigrad": t, "torch": 1.0}} for n, t in (("cnn", 0.5), ("mlp", 0.9))
    ]
    text = report.speed(found, None)
    assert "| 784-200-100-10, batch 100 | 1 | 0.71 | 0.70 | **0.80** (JAX jit) | 1.00 | 1.33 | 1.15 |" in text
    assert "| 10,000 samples evaluated | **0.50** to 0.90 | ≤ 0.70 | 1 of 2 |" in text
    assert "mnist_backprop" not in text
    measured = {"threads": 2, "jobs": 1, "epochs": None, "runs": found["runs"]}
    assert report.speed(found, measured) == text
    backprop = {"experiment": "mnist_backprop", "minigrad": run(271.0, 445.0), "torch": run(532.0, 736.0)}
    measured["runs"] = [backprop, *found["runs"]]
    text = report.speed(found, measured)
    assert "`mnist_backprop` takes 4 min 31 s and 445 MB against torch's 8 min 52 s and 736 MB (0.51); " in text
    assert "all 2 experiments together 4 min 32 s and 650 MB against torch's 8 min 54 s and 1,000 MB (0.51)" in text


def test_what_kept_memory_does_for_torch_is_said():
    found, seconds = results(), {"minigrad": 1.0, "torch": 2.0, KEEPING: 1.9}
    found["steps"] = [{"network": "cnn", "threads": 1, "seconds": seconds}]
    assert "its memory kept" not in report.speed(found, None)
    seconds[KEEPING] = 1.25
    assert "| CNN, batch 64 | 1 | 0.50 | 0.80 |" in report.speed(found, None)


def test_where_even_the_step_by_hand_misses_the_goal_is_said():
    found = results()
    assert "the hand-fused step misses" not in report.speed(found, None)
    found["steps"][0]["seconds"][HAND_FUSED] = 0.8e-3
    assert "For 1 of 1 rows even the hand-fused step misses" in report.speed(found, None)

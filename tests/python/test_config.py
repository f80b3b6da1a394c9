"""What a process can choose at its start, each tried in a process of its own."""

import os
import subprocess
import sys

import pytest

import dynet as dy

DRAW = "import dynet as dy; print(dy.random_normal(3).value(), dy.get_num_threads())"
DECAY = "import dynet as dy; print(dy.ParameterCollection().get_weight_decay())"


def run(program, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def output(program, *arguments, **environment):
    done = run(program, *arguments, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


SEEDED = [("--dynet-seed", "7"), ("--dynet_seed=7",), ("--dynet-seed=7", "--dynet-mem", "512,1,2,3")]


@pytest.mark.parametrize("arguments", SEEDED, ids=" ".join)
def test_seed(arguments):
    program = "import dynet_config; dynet_config.set(random_seed=7); " + DRAW
    assert output(DRAW, *arguments) == output(program, "--dynet-seed", "8")
    assert output(DRAW, *arguments) != output(DRAW, "--dynet-seed", "8")


def test_import_leaves_numpy_to_those_who_need_it():
    assert output("import dynet, sys; print('numpy' in sys.modules)") == "False\n"


def test_silence_and_arguments_of_the_program():
    program = "import dynet, sys; print(sys.argv[1:])"
    arguments = ["file", "--dynet-autobatch", "1", "--dynet-profiling=0", "--mine", "--dynet-devices", "CPU"]
    assert output(program, *arguments) == f"{arguments}\n"


NAMED = "import dynet_config; dynet_config.set({}); "


def test_a_config_leaves_the_rest_to_the_command_line():
    for named in ("mem=512", "random_seed=7", "mem='512', autobatch=0, profiling=0", ""):
        program = NAMED.format(named) + DRAW
        assert output(program, "--dynet-threads", "1").split()[-1] == "1"
        assert output(program, "--dynet-threads", "3").split()[-1] == "3"
    for named in ("mem=512", "random_seed=0"):
        assert output(NAMED.format(named) + DRAW, "--dynet-seed", "7") == output(DRAW, "--dynet-seed", "7")
    program = NAMED.format("weight_decay=0") + DECAY
    assert float(output(program, "--dynet-weight-decay", "0.25")) == 0, "what is named comes first"
    program = NAMED.format("random_seed=3") + DECAY
    assert float(output(program, "--dynet-weight-decay", "0.25")) == 0.25


def test_seed_0_of_the_command_line_draws_one():
    assert output(DRAW, "--dynet-seed", "0") != output(DRAW, "--dynet-seed", "0")


def test_seed_0_is_a_seed():
    def draw(seed):
        dy.reset_random_seed(seed)
        dy.renew_cg()
        return dy.ParameterCollection().add_parameters(9).as_array().tolist(), dy.random_normal(9).value()

    assert draw(0) == draw(0) != draw(1) == draw(1) and draw(2**31) == draw(2**31)


def test_weight_decay():
    assert float(output(DECAY, "--dynet-weight-decay", "0.25")) == 0.25
    program = "import dynet_config; dynet_config.set(weight_decay=0.5, mem=1, autobatch=1); " + DECAY
    assert float(output(program)) == 0.5


def test_threads():
    assert output(DRAW, "--dynet-threads", "2", "--dynet-seed", "1").split()[-1] == "2"
    assert output(DRAW, DYNET_NUM_THREADS="2").split()[-1] == "2"
    assert output(DRAW, "--dynet-threads", "1", DYNET_NUM_THREADS="2").split()[-1] == "1"


def test_threads_are_the_cores_that_the_process_may_use():
    alone = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); " + DRAW
    assert output(alone).split()[-1] == "1"
    assert 1 <= int(output(DRAW).split()[-1]) <= len(os.sched_getaffinity(0))


STEP = "import dynet as dy; x = dy.scalarInput(1); dy.values([dy.tanh(x), dy.tanh(x)])"


@pytest.mark.parametrize("arguments", [["--dynet-profiling", "1"], ["--dynet_profiling=1"]], ids=" ".join)
def test_profiling(arguments):
    lines = output(STEP, *arguments).splitlines()
    assert lines[0] == "Timing Info:" and lines[1].split()[2:] == ["milliseconds", "calls", "nodes"]
    timed = {line[: line.index("  ")]: line.split()[-2:] for line in lines[2:-1]}
    assert timed["FWD tanh"] == ["1", "2"]
    assert lines[-1].startswith("all") and not any("BatchSize" in line for line in lines)


def test_profiling_with_batches():
    program = "import dynet_config; dynet_config.set(profiling=2); " + STEP
    assert "    BatchSize:2 x 1\n" in output(program)
    assert "Timing Info" not in output(program + "; p = dy.DynetParams(); p.init()")


def test_pictures_need_no_option():
    program = "import dynet as dy, sys; dy.tanh(dy.scalarInput(1)); dy.print_graphviz(); print(sys.argv[1:])"
    assert output(program, "--dynet-viz", "a") == output(program, "a")


def test_batching_can_be_switched_off():
    program = (
        "import dynet as dy; x = dy.inputVector([1, 2]); "
        "dy.values([dy.tanh(x), dy.tanh(x)]); print(dy.cg().step_count())"
    )
    assert output(program) == output(program, "--dynet-autobatch", "1") == "1\n"
    assert output(program, "--dynet-autobatch=0") == "2\n"
    assert output("import dynet_config; dynet_config.set(mem=1024); " + program) == "1\n"
    assert output("import dynet_config; dynet_config.set(autobatch=2); " + program) == "1\n"


def test_a_graph_chooses_for_itself():
    """What renew_cg is told comes before the option."""
    program = (
        "import dynet as dy\n"
        "for chosen in (True, False, None):\n"
        "    dy.renew_cg(autobatching=chosen)\n"
        "    x = dy.inputVector([1, 2]); dy.values([dy.tanh(x), dy.tanh(x)])\n"
        "    print(dy.cg().step_count(), end=' ')"
    )
    assert output(program).split() == ["1", "2", "1"]
    assert output(program, "--dynet-autobatch", "0").split() == ["1", "2", "2"]


def test_a_process_without_arguments():
    assert output("import sys; del sys.argv; import dynet; print(1)") == "1\n"


WRONG = [
    (["--dynet-seed"], "ValueError: --dynet-seed expects an argument"),
    (["--dynet-seed", "--verbose"], "ValueError: --dynet-seed expects an argument"),
    (["--dynet-seed", "x"], "ValueError: --dynet-seed: 'x' was given"),
    (["--dynet-weight-decay", "1"], "ValueError: --dynet-weight-decay: 1.0 was given"),
    (["--dynet-gpu"], "RuntimeError: --dynet-gpu"),
    (["--dynet-gpus", "1"], "RuntimeError: --dynet-gpu"),
    (["--dynet-devices", "GPU:0"], "RuntimeError: --dynet-devices: GPU:0"),
    (["--dynet-devices", "CPU,CPU"], "ValueError: --dynet-devices"),
]


@pytest.mark.parametrize(
    "arguments, message", WRONG, ids=lambda x: " ".join(x) if isinstance(x, list) else ""
)
def test_wrong_options(arguments, message):
    done = run("import dynet", *arguments)
    assert done.returncode == 1 and message in done.stderr


def test_params():
    program = """
import _dynet as dy
params = dy.DynetParams()
params.from_args()
params.set_mem(100)
params.set_random_seed(7)
params.set_autobatch(True)
params.set_weight_decay(0.25)
params.init()
print(dy.random_normal(3).value(), dy.ParameterCollection().get_weight_decay())
"""
    assert output(program).split()[:-1] == output(DRAW, "--dynet-seed", "7").split()[:-1]


def test_params_that_are_impossible():
    params = dy.DynetParams()
    params.set_gpu_mask([0, 0])
    for wrong in (lambda: params.set_gpu_mask([2]), lambda: params.set_weight_decay(1)):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (lambda: params.set_requested_gpus(1), lambda: params.set_gpu_mask([1])):
        with pytest.raises(RuntimeError):
            wrong()


SHARING = [
    "import dynet as dy; dy.init(shared_parameters=True)",
    "import dynet as dy; dy.DynetParams().set_shared_parameters(True)",
    "import dynet_config; dynet_config.set(shared_parameters=1); import dynet",
]


@pytest.mark.parametrize("program", SHARING)
def test_shared_parameters_are_warned_of(program):
    done = run(program)
    assert done.returncode == 0 and "trains a model of its own" in done.stderr
    assert (
        done.stderr.startswith("<string>:1: RuntimeWarning: set_shared_parameters")
        or "dynet_config" in program
    )
    assert "trains a model of its own" in run("import dynet", "--dynet-shared-parameters").stderr
    assert output(program.replace("True", "False").replace("=1", "=0")) == ""


def test_dynet_config():
    import dynet_config

    before = dynet_config.get()
    dynet_config.set(random_seed=3)
    try:
        assert dynet_config.get() == {"seed": 3}
        dynet_config.set_gpu(False)
        assert dynet_config.gpu() is False
    finally:
        import builtins

        del builtins.__DYNET_CONFIG, builtins.__DYNET_GPU
    assert dynet_config.get() is before is None


def test_info():
    done = subprocess.run([sys.executable, "-m", "dynet", "info"], capture_output=True, text=True)
    assert done.returncode == 0 and f"dynet            {dy.__version__}" in done.stdout
    assert subprocess.run([sys.executable, "-m", "dynet"], capture_output=True).returncode == 2


def test_the_state_of_floating_point_is_left_alone():
    assert output("import dynet, numpy as np; print(np.float32(1e-38) * np.float32(0.01) > 0)") == "True\n"

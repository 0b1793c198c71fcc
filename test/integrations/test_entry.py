"""Training without a change in code, and on several GPUs: real processes throughout."""

import signal
import tempfile
import unittest
from pathlib import Path

from recorded import SIDECAR, read_lines, run_python


class Entry(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.save_dir = "save_dir=%s" % (self.folder / "run")

    def kinds(self):
        return [line["kind"] for line in self.lines()]

    def lines(self):
        return read_lines(self.folder / "run" / "signalbox.ndjson")

    def script(self, text, *arguments):
        """Runs a program of the user's through ours."""
        file = self.folder / "program.py"
        file.write_text(text, encoding="utf-8")
        return run_python(SIDECAR, file, *arguments)

    def assert_recorded_once(self, done):
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([self.kinds().count(kind) for kind in ("start", "classes", "end")], [1, 3, 1])
        self.assertEqual(self.lines()[-1]["reason"], "finished")

    def test_yolo_train_is_recorded(self):
        self.assert_recorded_once(run_python(SIDECAR, "yolo", "train", "model=my.pt", self.save_dir))
        self.assertEqual(self.lines()[0]["model"], "my.pt")

    def test_the_exit_code_of_yolo_is_its_own(self):
        self.assertEqual(run_python(SIDECAR, "yolo", "quit", "code=7").returncode, 7)

    def test_a_mistake_on_the_yolo_command_line_is_told_as_ever(self):
        done = run_python(SIDECAR, "yolo", "trian")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.rstrip().endswith("SyntaxError: 'trian' is not a valid YOLO argument"))

    def test_a_training_that_fails_exits_as_ever_and_leaves_its_error(self):
        done = run_python(SIDECAR, "yolo", "train", "fail_at=2", self.save_dir)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("Traceback"))
        error = "RuntimeError: CUDA out of memory. Tried to allocate 1.45 GiB."
        self.assertTrue(done.stderr.rstrip().endswith(error))
        self.assertEqual(self.lines()[-1]["error"], error)

    def test_ctrl_c_ends_the_process_as_ever_and_is_told(self):
        done = run_python(SIDECAR, "yolo", "train", "epochs=9", "interrupt_at=2", self.save_dir)
        self.assertEqual(done.returncode, -signal.SIGINT)
        self.assertEqual(self.lines()[-1]["reason"], "interrupted")

    def test_a_training_that_fails_before_it_trains_leaves_its_error_too(self):
        done = run_python(SIDECAR, "yolo", "train", "shape=8.4", "no_data=1", self.save_dir)
        self.assertEqual((done.returncode, self.kinds()), (1, ["end"]))
        self.assertEqual(self.lines()[-1]["error"], "RuntimeError: Dataset 'missing.yaml' error: images not found")

    def test_a_script_is_run_as_itself_with_its_arguments_and_its_neighbours(self):
        (self.folder / "neighbour.py").write_text("EPOCHS = 2\n", encoding="utf-8")
        program = "\n".join(
            [
                "import sys, __main__, neighbour",
                "assert __name__ == '__main__' and __main__.neighbour is neighbour",
                "assert 'ultralytics' not in sys.modules, 'a program may have settings to make first'",
                "from ultralytics import YOLO",
                "YOLO('my.pt').train(save_dir=sys.argv[1], epochs=neighbour.EPOCHS)",
            ]
        )
        self.assert_recorded_once(self.script(program, self.folder / "run"))

    def test_a_script_that_looks_whether_ultralytics_is_there_is_recorded_as_well(self):
        program = "\n".join(
            [
                "import importlib.util, sys",
                "assert importlib.util.find_spec('ultralytics.engine.trainer')",
                "assert importlib.util.find_spec('ultralytics.utils.callbacks.base')",
                "from ultralytics import YOLO",
                "YOLO().train(save_dir=sys.argv[1])",
            ]
        )
        self.assert_recorded_once(self.script(program, self.folder / "run"))

    def test_a_script_that_attaches_by_itself_is_recorded_once(self):
        program = "\n".join(
            [
                "import sys",
                "sys.path.append(%r)" % str(SIDECAR.parent),
                "from signalbox_callback import attach",
                "from ultralytics import YOLO",
                "model = YOLO()",
                "attach(model)",
                "model.train(save_dir=sys.argv[1])",
            ]
        )
        self.assert_recorded_once(self.script(program, self.folder / "run"))

    def test_a_disk_that_hangs_for_ever_does_not_keep_the_process(self):
        program = "\n".join(
            [
                "import os, signalbox_callback, threading",
                "signalbox_callback.FLUSH_S = 0.01",
                "os.write = lambda file, line: threading.Event().wait()",
                "from ultralytics import YOLO",
                "YOLO().train(save_dir=%r)" % str(self.folder / "run"),
            ]
        )
        done = self.script(program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_exit_code_of_a_script_is_its_own(self):
        self.assertEqual(self.script("import sys; sys.exit(5)").returncode, 5)

    def test_a_module_is_run_as_with_dash_m(self):
        call = ["-m", "json.tool", self.folder / "missing.json"]
        alone, through_ours = run_python(*call), run_python(SIDECAR, *call)
        self.assertNotEqual(alone.returncode, 0)
        self.assertEqual(through_ours.returncode, alone.returncode)
        self.assertEqual(through_ours.stderr.splitlines()[-1], alone.stderr.splitlines()[-1])

    def test_without_a_program_it_says_how_it_is_called(self):
        done = run_python(SIDECAR)
        self.assertEqual(done.returncode, 1)
        self.assertIn("usage:", done.stderr)

    def test_on_several_gpus_the_first_worker_writes(self):
        self.assert_recorded_once(run_python(SIDECAR, "yolo", "train", "device=0,1", self.save_dir))
        self.assertEqual(self.lines()[0]["worldSize"], 2)

    def test_attach_reaches_the_workers_as_well(self):
        program = "\n".join(
            [
                "import sys",
                "sys.path.append(%r)" % str(SIDECAR.parent),
                "from ultralytics import YOLO",
                "from signalbox_callback import attach",
                "model = YOLO()",
                "attach(model)",
                "model.train(save_dir=sys.argv[1], device='0,1')",
            ]
        )
        file = self.folder / "program.py"
        file.write_text(program, encoding="utf-8")
        self.assert_recorded_once(run_python(file, self.folder / "run"))

    def test_a_worker_that_fails_leaves_its_error_once(self):
        done = run_python(SIDECAR, "yolo", "train", "device=0,1", "fail_at=1", self.save_dir)
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line["reason"] for line in self.lines() if line["kind"] == "end"], ["exception"])

"""What must never reach the training, and what must never be written."""

import ast
import gc
import os
import threading
import unittest
import weakref
from unittest import mock

import signalbox_callback
from recorded import SIDECAR, RecordedTraining
from ultralytics import YOLO


class Exploding:
    """A trainer that has nothing of what we look for."""

    def __getattribute__(self, name):
        raise RuntimeError("no " + name)


class Disks(RecordedTraining):
    def assert_trained_with_one_warning(self, model, words):
        self.assertEqual(model.trainer.metrics, {"fitness": 0.5})
        self.assertEqual(self.said.getvalue().count("signalbox:"), 1)
        self.assertIn(words, self.said.getvalue())

    @unittest.skipUnless(os.path.exists("/dev/full"), "there is no /dev/full here")
    def test_a_full_disk_costs_one_warning(self):
        self.file.symlink_to("/dev/full")
        self.assert_trained_with_one_warning(self.train(), "No space left on device")

    def test_a_file_that_cannot_be_made_costs_one_warning(self):
        self.file.mkdir()
        self.assert_trained_with_one_warning(self.train(), "Is a directory")

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_read_only_folder_costs_one_warning(self):
        self.folder.chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)

        def train():
            if os.geteuid() == 0:  # root may write everywhere
                os.setuid(65534)
            self.assert_trained_with_one_warning(self.train(), "Permission denied")

        self.assertEqual(exit_code_of(train), 0)
        self.assertEqual(os.listdir(str(self.folder)), [])

    def test_a_folder_that_vanishes_is_not_made_again(self):
        model = YOLO()
        signalbox_callback.attach(model)
        model.add_callback("on_pretrain_routine_start", lambda trainer: self.folder.rmdir())
        try:
            model.train(save_dir=str(self.folder))
            self.assert_trained_with_one_warning(model, "No such file")
            self.assertFalse(self.folder.exists())
        finally:
            self.folder.mkdir()

    def test_a_line_cut_short_spoils_no_other_and_is_counted(self):
        write, calls = os.write, []

        def cut_the_third(file, line):
            calls.append(line)
            return write(file, line[:9] if len(calls) == 3 else line)

        with mock.patch("os.write", cut_the_third):
            self.train(epochs=1)
        rows = self.file.read_bytes().splitlines()
        whole = [row for row in rows if row.endswith(b"}")]
        self.assertEqual(len(rows) - len(whole), 1)
        self.assertIn(b'"dropped":1', whole[2])
        self.assertEqual(sum(row.count(b"dropped") for row in rows), 1)

    def test_a_file_that_an_earlier_death_left_without_line_end_is_gone_on_with(self):
        self.file.write_text('{"kind":"ba', encoding="ascii")
        self.train()
        self.assertTrue(self.file.read_text(encoding="ascii").startswith('{"kind":"ba\n{"t":'))

    def test_every_line_is_one_write(self):
        write, lines = os.write, []

        def note(file, line):
            lines.append(line)
            return write(file, line)

        with mock.patch("os.write", note):
            self.train()
        self.assertEqual(b"".join(lines), self.file.read_bytes())
        self.assertTrue(all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines))

    def test_a_disk_that_hangs_holds_up_nothing_and_what_did_not_fit_is_counted(self):
        self.enter(mock.patch.object(signalbox_callback, "FLUSH_S", 0.01))
        self.enter(mock.patch.object(signalbox_callback, "MAX_WAITING_LINES", 5))
        write, goes_on = os.write, threading.Event()

        def hang(file, line):
            goes_on.wait()
            return write(file, line)

        with mock.patch("os.write", hang):
            model = self.train(epochs=3)
            self.assertEqual((model.trainer.metrics, self.file.read_bytes()), ({"fitness": 0.5}, b""))
            goes_on.set()
            for thread in threading.enumerate():
                if thread.name == "signalbox-sidecar":
                    thread.join()
        lines = self.lines()
        self.assertLessEqual(len(lines), 6, "the one that hung and the five that waited")
        told = ["start"] + ["epoch"] * 3 * 9 + ["final"] * 4 + ["end"]
        self.assertEqual(len(lines) + sum(line.get("dropped", 0) for line in lines), len(told))


class Bugs(RecordedTraining):
    def test_a_trainer_unlike_any_other_costs_one_warning(self):
        model = YOLO()
        signalbox_callback.attach(model)
        for event in model.callbacks:
            for callback in model.callbacks[event]:
                callback(Exploding())
        self.assertEqual(self.said.getvalue().count("signalbox:"), 1)

    def test_a_bug_in_one_thing_that_is_read_costs_that_thing_alone(self):
        self.enter(mock.patch.object(signalbox_callback, "_floats", side_effect=KeyError("bug")))
        self.train(epochs=1)
        self.assertEqual(len(self.lines("batch")), 3)
        self.assertNotIn("loss", self.lines("batch")[0])
        self.assertIn("stepS", self.lines("batch")[0])
        self.assertEqual(self.said.getvalue().count("signalbox:"), 1)

    def test_something_that_takes_no_callbacks_costs_one_warning(self):
        signalbox_callback.attach(object())
        self.assertIn("add_callback", self.said.getvalue())

    def test_attaching_twice_is_the_same_as_once(self):
        model = YOLO()
        signalbox_callback.attach(model)
        signalbox_callback.attach(model)
        model.train(save_dir=str(self.folder), epochs=1)
        self.assertEqual([line["kind"] for line in self.lines()].count("batch"), 3)

    def test_an_ended_training_is_not_kept_in_memory(self):
        trainer = weakref.ref(self.train().trainer)
        gc.collect()
        self.assertIsNone(trainer())

    def test_the_file_is_python_3_8(self):
        ast.parse(SIDECAR.read_text(encoding="utf-8"), feature_version=(3, 8))


class OtherProcesses(RecordedTraining):
    def test_a_rank_other_than_the_first_writes_nothing(self):
        self.enter(mock.patch.dict(os.environ, RANK="1", LOCAL_RANK="1", WORLD_SIZE="2"))
        self.train()
        self.assertEqual((os.listdir(str(self.folder)), self.said.getvalue()), ([], ""))

    def test_the_first_rank_writes_and_says_how_many_there_are(self):
        self.enter(mock.patch.dict(os.environ, RANK="0", LOCAL_RANK="0", WORLD_SIZE="2"))
        self.train()
        self.assertEqual(self.lines("start")[0]["worldSize"], 2)

    def test_the_script_of_a_worker_keeps_its_permissions(self):
        script = self.folder / "worker.py"
        script.write_text("train()\n", encoding="utf-8")
        script.chmod(0o640)
        signalbox_callback._prepend(str(script), "# ours\n")
        self.assertEqual(script.read_text(encoding="utf-8"), "# ours\ntrain()\n")
        self.assertEqual(script.stat().st_mode & 0o777, 0o640)
        self.assertEqual(os.listdir(str(self.folder)), ["worker.py"])

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_forked_worker_writes_nothing(self):
        model = YOLO()
        signalbox_callback.attach(model)
        codes = []

        def fork(trainer):
            codes.append(exit_code_of(lambda: trainer.run_callbacks("on_train_end")))

        model.add_callback("on_pretrain_routine_end", fork)
        model.train(save_dir=str(self.folder), epochs=1)
        self.assertEqual(codes, [0])
        self.assertEqual(self.lines()[0]["kind"], "start")
        self.assertEqual(len(self.lines("end")), 1)


def exit_code_of(act):
    """Runs ``act`` in a forked child; 0 where it came back, 1 where it raised."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return status >> 8

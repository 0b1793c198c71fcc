"""What the sidecar says of a training."""

import os
import socket
import sys
from types import SimpleNamespace
from unittest import mock

import signalbox_callback
from recorded import RecordedTraining
from ultralytics import YOLO
from ultralytics.engine.trainer import ClassificationTrainer, DetectionTrainer

SHAPES = ("8.0", "8.3", "8.4")


class Lines(RecordedTraining):
    def test_a_training_is_told_from_its_start_to_its_end_whatever_the_version(self):
        for shape in SHAPES:
            with self.subTest(shape):
                self.train(shape=shape, epochs=2)
                told = [line.get("phase") or line["kind"] for line in self.lines()]
                epoch = ["train", "batch", "batch", "batch", "between", "val", "save", "classes", "between"]
                self.assertEqual(told, ["start", *epoch, *epoch, "val", "save", "classes", "between", "end"])
                self.file.unlink()

    def test_every_line_has_its_moment_and_they_rise(self):
        self.train()
        moments = [line["t"] for line in self.lines()]
        self.assertEqual(moments, sorted(moments))
        self.assertTrue(all(isinstance(t, int) and t > 1_500_000_000_000 for t in moments))

    def test_the_start_says_who_trains_what_on_which_data(self):
        self.train(epochs=2)
        (start,) = self.lines("start")
        del start["t"]
        self.assertEqual(
            start,
            {
                "kind": "start",
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "framework": "ultralytics 8.3.199",
                "model": "yolo11n.pt",
                "task": "detect",
                "parameters": 2590620,
                "images": 11705,
                "instances": {"car": 3, "truck": 1, "bus": 0},
                "epochs": 2,
                "batchSize": 16,
                "rank": 0,
                "worldSize": 1,
            },
        )

    def test_a_classifier_counts_its_images_by_class(self):
        self.train(task="classify", labels=[[0], [2], [2]])
        self.assertEqual(self.lines("start")[0]["instances"], {"car": 1, "truck": 0, "bus": 2})

    def test_a_dataset_without_instances_has_none_to_count_and_nothing_is_wrong_with_that(self):
        self.train(task="semantic")
        self.assertNotIn("instances", self.lines("start")[0])
        self.assertEqual(self.said.getvalue(), "")

    def test_instances_that_take_too_long_to_count_are_unknown(self):
        self.enter(mock.patch.object(signalbox_callback, "COUNTING_S", 0))
        self.train()
        self.assertNotIn("instances", self.lines("start")[0])

    def test_batch_losses_are_taken_out_of_the_running_mean(self):
        for shape in SHAPES:
            with self.subTest(shape):
                self.train(shape=shape, epochs=1)
                names = ("box_loss", "cls_loss", "dfl_loss")
                expected = [(1.0, 2.0, 3.0), (0.5, 1.0, 2.0), (0.75, 4.0, 0.25)]
                self.assertEqual([b["loss"] for b in self.lines("batch")], [dict(zip(names, e)) for e in expected])
                counts = [(b["epoch"], b["batch"], b["batches"]) for b in self.lines("batch")]
                self.assertEqual(counts, [(1, 1, 3), (1, 2, 3), (1, 3, 3)])
                self.file.unlink()

    def test_the_one_loss_of_a_classifier_is_read_as_well(self):
        self.train(trainer=ClassificationTrainer, task="classify", epochs=1, losses=[2.0, 1.0])
        self.assertEqual([b["loss"] for b in self.lines("batch")], [{"loss": 2.0}, {"loss": 1.0}])

    def test_a_loss_that_is_not_finite_is_a_word(self):
        self.train(epochs=1, losses=[[float("nan"), float("inf"), float("-inf")]])
        self.assertEqual(self.lines("batch")[0]["loss"], {"box_loss": "nan", "cls_loss": "inf", "dfl_loss": "-inf"})

    def test_batches_that_follow_fast_share_a_line(self):
        self.enter(mock.patch.object(signalbox_callback, "BATCH_GAP_S", 3600))
        self.train(epochs=1, losses=[[1.0, 1.0, 1.0]] * 50)
        self.assertLessEqual(len(self.lines("batch")), 1)

    def test_reserved_memory_is_asked_only_of_a_pytorch_that_is_on_the_gpu(self):
        torch = SimpleNamespace(
            cuda=SimpleNamespace(is_initialized=lambda: True, memory_reserved=lambda device: 28400 << 20)
        )
        self.enter(mock.patch.dict(sys.modules, torch=torch))
        self.train(epochs=1)
        self.assertNotIn("reservedMib", self.lines("batch")[0], "on the CPU")
        self.train(epochs=1, device_type="cuda")
        self.assertEqual(self.lines("batch")[-1]["reservedMib"], 28400)
        torch.cuda.is_initialized = lambda: False
        self.train(epochs=1, device_type="cuda")
        self.assertNotIn("reservedMib", self.lines("batch")[-1], "PyTorch has not touched the GPU")


class Classes(RecordedTraining):
    def test_each_epoch_names_the_metrics_of_the_classes_that_the_validation_set_has(self):
        self.train(epochs=2)
        lines = self.lines("classes")
        self.assertEqual([(line["epoch"], line.get("final")) for line in lines], [(1, None), (2, None), (2, True)])
        self.assertEqual(lines[0]["precision"], {"car": 0.9, "bus": 0.5})
        self.assertEqual(lines[0]["recall"], {"car": 0.8, "bus": 0.4})
        self.assertEqual(lines[0]["mAP50"], {"car": 0.7, "bus": 0.3})
        self.assertEqual(lines[0]["mAP50-95"], {"car": 0.6, "bus": 0.2})

    def test_the_second_end_of_the_last_epoch_is_final_in_every_version(self):
        for shape in SHAPES:
            with self.subTest(shape):
                self.train(shape=shape, epochs=1)
                self.assertEqual([(c["epoch"], c.get("final")) for c in self.lines("classes")], [(1, None), (1, True)])
                self.file.unlink()

    def test_masks_and_key_points_have_columns_of_their_own(self):
        for task, mark in (("segment", "(M)"), ("pose", "(P)")):
            with self.subTest(task):
                self.train(task=task, results={1: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]})
                line = self.lines("classes")[0]
                self.assertEqual((line["mAP50"], line["mAP50-95" + mark]), ({"truck": 0.3}, {"truck": 0.8}))
                self.file.unlink()

    def test_oriented_boxes_are_boxes(self):
        self.train(task="obb")
        self.assertEqual(self.lines("classes")[0]["mAP50"], {"car": 0.7, "bus": 0.3})

    def test_a_classifier_has_no_metrics_by_class_and_nothing_is_wrong_with_that(self):
        self.train(task="classify")
        self.assertEqual((self.lines("classes"), self.said.getvalue()), ([], ""))

    def test_an_epoch_without_validation_does_not_repeat_the_last_one(self):
        model = YOLO()
        signalbox_callback.attach(model)
        model.add_callback("on_fit_epoch_end", lambda trainer: setattr(trainer.args, "val", False))
        model.train(save_dir=str(self.folder), epochs=3)
        epochs = [(c["epoch"], c.get("final")) for c in self.lines("classes")]
        self.assertEqual(epochs, [(1, None), (3, None), (3, True)])

    def test_hostile_class_names_stay_apart_and_stay_json(self):
        names = {0: "a\"\n\u2028", 1: "twin", 2: "twin", 3: "\ud800", 4: "x" * 9000}
        self.train(names=names, results={index: [float("nan"), 0, 0, 0] for index in names})
        precision = self.lines("classes")[0]["precision"]
        self.assertEqual(list(precision)[:4], ["a\"\n\u2028", "twin", "twin (2)", "\ud800"])
        self.assertEqual(len(list(precision)[4]), signalbox_callback.MAX_NAME)
        self.assertEqual(set(precision.values()), {"nan"})


class Endings(RecordedTraining):
    def end(self):
        (end,) = self.lines("end")
        return end["reason"], end.get("error")

    def test_a_training_that_did_all_its_epochs_finished(self):
        self.train()
        self.assertEqual(self.end(), ("finished", None))

    def test_a_training_without_progress_stopped_early(self):
        self.train(epochs=9, early_stop_at=2)
        self.assertEqual(self.end(), ("early_stopped", None))

    def test_a_training_whose_time_was_up_finished(self):
        self.train(epochs=9, stop_at=2, time=0.5)
        self.assertEqual(self.end(), ("finished", None))

    def test_a_training_that_was_told_to_stop_was_interrupted(self):
        self.train(epochs=9, stop_at=2)
        self.assertEqual(self.end(), ("interrupted", None))

    def test_an_exception_is_told_and_reaches_the_caller_as_it_was(self):
        with self.assertRaisesRegex(RuntimeError, "^CUDA out of memory") as raised:
            self.train(epochs=9, fail_at=2)
        self.assertIsNone(raised.exception.__context__)
        self.assertEqual(self.end(), ("exception", "RuntimeError: CUDA out of memory. Tried to allocate 1.45 GiB."))

    def test_a_keyboard_interrupt_is_told_and_reaches_the_caller(self):
        with self.assertRaises(KeyboardInterrupt):
            self.train(epochs=9, interrupt_at=2)
        self.assertEqual(self.end(), ("interrupted", None))

    def test_a_program_that_exits_in_the_middle_interrupts_its_training(self):
        model = YOLO()
        signalbox_callback.attach(model)
        model.add_callback("on_train_epoch_start", lambda trainer: sys.exit(3))
        with self.assertRaises(SystemExit) as exited:
            model.train(save_dir=str(self.folder))
        self.assertEqual((exited.exception.code, self.end()), (3, ("interrupted", None)))

    def test_a_trainer_that_says_nothing_of_its_end_finished_when_it_came_back(self):
        class Silent(DetectionTrainer):
            def run_callbacks(self, event):
                if event != "on_train_end":
                    super().run_callbacks(event)

        self.train(trainer=Silent)
        self.assertEqual(self.end(), ("finished", None))

    def test_a_training_given_up_before_it_began_is_ended_by_the_next(self):
        with self.assertRaises(RuntimeError):
            self.train(shape="8.4", no_data=True)
        self.train()
        told = [line.get("reason", "start") for line in self.lines() if line["kind"] in ("start", "end")]
        self.assertEqual(told, ["interrupted", "start", "finished"])

    def test_the_next_training_of_the_process_has_its_own_start_and_end(self):
        with self.assertRaises(RuntimeError):
            self.train(fail_at=1)
        self.train()
        told = [line["kind"] for line in self.lines() if line["kind"] in ("start", "end")]
        self.assertEqual(told, ["start", "end", "start", "end"])

    def test_a_validation_after_the_end_adds_nothing(self):
        model = self.train()
        model.trainer.validator()
        self.assertEqual(self.lines()[-1]["kind"], "end")

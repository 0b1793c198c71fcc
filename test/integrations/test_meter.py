"""The arithmetic of batches, in a clock of its own."""

import unittest
from types import SimpleNamespace

from recorded import signalbox_callback


def trainer(mean):
    return SimpleNamespace(tloss={"box_loss": mean}, label_loss_items=lambda tloss: {"train/box_loss": mean})


class Meter(unittest.TestCase):
    def setUp(self):
        self.meter = signalbox_callback._BatchMeter()

    def batch(self, started_at, ended_at):
        self.meter.batch_started(started_at)
        self.meter.batch_ended(ended_at)

    def test_waiting_for_data_and_steps_are_means_since_the_last_line(self):
        self.batch(10.0, 10.5)
        self.batch(10.75, 11.0)
        self.batch(11.75, 12.0)
        data_s, step_s = self.meter.take_times()
        self.assertAlmostEqual(data_s, (0.25 + 0.75) / 2)
        self.assertAlmostEqual(step_s, (0.5 + 0.25 + 0.25) / 3)
        self.batch(12.125, 13.125)
        self.assertEqual(self.meter.take_times(), (0.125, 1.0))

    def test_the_first_batch_of_an_epoch_has_no_waiting_time_to_tell(self):
        self.batch(10.0, 10.5)
        self.meter.begin_epoch()
        self.batch(99.0, 99.5)
        self.assertEqual(self.meter.take_times(), (None, 0.5))

    def test_a_line_over_several_batches_has_their_mean_and_their_number(self):
        self.batch(0, 1)
        self.assertEqual(self.meter.take_loss(trainer(8.0)), ({"box_loss": 8.0}, 1))
        self.batch(1, 2)
        self.batch(2, 3)
        self.assertEqual(self.meter.take_loss(trainer((8.0 + 2.0 + 5.0) / 3)), ({"box_loss": 3.5}, 2))

    def test_an_epoch_begins_its_mean_anew(self):
        self.batch(0, 1)
        self.meter.take_loss(trainer(8.0))
        self.meter.begin_epoch()
        self.batch(1, 2)
        self.assertEqual(self.meter.take_loss(trainer(4.0)), ({"box_loss": 4.0}, 1))

    def test_without_a_loss_there_is_none_to_tell(self):
        self.batch(0, 1)
        self.assertIsNone(self.meter.take_loss(SimpleNamespace(tloss=None)))

"""Training on several GPUs: a generated script, run once for each by a launcher."""

import sys
import tempfile


def generate_ddp_file(trainer):
    """The script knows the trainer's class and arguments, and nothing of the callbacks that were added."""
    trainer_class = type(trainer)
    with tempfile.NamedTemporaryFile("w", prefix="_temp_", suffix="%d.py" % id(trainer), delete=False) as file:
        file.write("overrides = %r\n" % vars(trainer.args))
        file.write('if __name__ == "__main__":\n')
        file.write("    from %s import %s\n" % (trainer_class.__module__, trainer_class.__name__))
        file.write("    %s(overrides=overrides).train()\n" % trainer_class.__name__)
    return file.name


def generate_ddp_command(world_size, trainer):
    file = generate_ddp_file(trainer)
    return [sys.executable, "-m", "ultralytics.utils.launcher", str(world_size), file], file

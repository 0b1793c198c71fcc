"""As much of a tensor as a callback may touch."""


class Tensor:
    """Shape () for a number, (n) for a list of numbers, (n, 1) for a list of lists."""

    def __init__(self, values):
        self._values = values

    def tolist(self):
        return self._values

    def __float__(self):
        return float(self._values)

"""Averages of values that are told apart by size before they are averaged.

A wide average over an image lengthens the way from which its gradient leads to the right place, but
of two bumps it no longer says which was the higher one. So values are first divided among channels,
each of which answers to values near its own, and the channels are averaged: a bump keeps its name.
Felsberg, Forssén & Scharr 2006, doi:10.1109/TPAMI.2006.29; for the search of a motion by gradients,
Sevilla-Lara & Learned-Miller 2012, "Distribution fields for tracking", CVPR.
"""

from dataclasses import dataclass

import numpy as np

from pdebench_lite.numerics._namespace import Array, array_namespace

_COUNT = 4  # enough for two heights and their flanks; 2 to 8 led to the same motions
_OVERLAP = 1.5  # distance of neighbours over their standard deviation


@dataclass(frozen=True)
class ChannelAverage:
    """v ↦ averages over n points of a·v + b·exp(−((v − c)/s)²/2), in k channels.

    A channel is averaged around every k-th point only, so that as much comes out as goes in: wide
    averages change little between such points.

    Attributes:
        channels: rows a, b, c, 1/s, shape (4, k); arrays of any backend, as are the
        averages: of each channel, shape (k, r, n), r = ⌈n/k⌉; rows beyond the n-th are zero.
    """

    channels: Array
    averages: Array

    def __call__(self, values: Array) -> Array:
        """Return the averages of values (*batch, n), shape (*batch, k·r)."""
        xp, shape = array_namespace(values), (-1, *(1,) * len(values.shape))
        a, b, c, inverse = (xp.reshape(self.channels[i], shape) for i in range(4))
        answers = a * values[None] + b * xp.exp(-0.5 * ((values[None] - c) * inverse) ** 2)
        # a product with a matrix each, whatever the batch: a stack of them takes thrice as long
        averages = (xp.matmul(answers[i], self.averages[i].T) for i in range(answers.shape[0]))
        return xp.concat(tuple(averages), axis=-1)

    def jacobian(self, values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return the derivative of the averages: values (n,), theirs (n, p) -> (k·r, p); NumPy."""
        a, b, c, inverse = (row[:, None] for row in self.channels)
        z = (values - c) * inverse
        rates = a - b * z * inverse * np.exp(-0.5 * z**2)
        return np.concatenate(  # one channel at a time: the slopes may be large
            [m @ (rate[:, None] * slopes) for m, rate in zip(self.averages, rates, strict=True)]
        )


def channel_average(values: np.ndarray, average: np.ndarray | None) -> ChannelAverage:
    """Return the channels that values lie in and their averages, NumPy.

    The centres divide the range of the values evenly; its lower end, where most of an image lies,
    is none. Answers are scaled to the mean square of the values.

    Args:
        values: what was observed, shape (n,).
        average: over the n points, shape (n, n), rows sum to one; None for the values themselves in
            arrays of the same shapes, so that a compiled function serves both.
    """
    n, k = values.size, min(_COUNT, values.size)
    low, span = float(np.min(values)), float(np.ptp(values)) or 1.0
    centres = low + span * np.arange(1, k + 1) / k
    channels = np.stack([np.ones(k), np.zeros(k), centres, np.full(k, _OVERLAP * k / span)])
    if average is not None:
        channels[:2] = np.array([[0.0], [1.0]])
        answers = np.exp(-0.5 * ((values - centres[:, None]) * channels[3:].T) ** 2)
        channels[1] = np.sqrt(np.mean(values**2) / np.mean(answers**2))
    matrix = np.eye(n) if average is None else average
    rows = np.zeros((k, -(-n // k), n))
    for i in range(k):
        part = matrix[i::k]
        rows[i, : len(part)] = part
    return ChannelAverage(channels, rows)

"""Beta weights: ln Γ to the last digits."""

from __future__ import annotations

import numpy as np
import scipy

from monitor.sequential.beta_binomials import log_gamma


def test_log_gamma_is_scipys() -> None:
    """From tiny arguments to billions."""
    x = np.concatenate((np.geomspace(1e-6, 1e10, 4000), np.arange(1, 200) / 2))
    assert np.allclose(log_gamma(x), scipy.special.gammaln(x), rtol=1e-13, atol=1e-12)

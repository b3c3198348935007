"""Backend-neutral operators: one source for NumPy, torch and JAX arrays."""

from ._namespace import Array as Array
from ._namespace import array_namespace as array_namespace
from .advection import maccormack as maccormack
from .advection import semi_lagrangian as semi_lagrangian
from .advection import upwind as upwind
from .diffusion import diffuse_explicit as diffuse_explicit
from .diffusion import diffuse_spectral as diffuse_spectral
from .diffusion import explicit_diffusion_limit as explicit_diffusion_limit
from .diffusion import laplacian as laplacian
from .finite_volume import godunov_flux as godunov_flux
from .finite_volume import muscl_divergence as muscl_divergence
from .gradient import central_difference as central_difference
from .grid import Grid as Grid
from .interpolation import interpolate_periodic as interpolate_periodic
from .spectral import ETDRK4Coefficients as ETDRK4Coefficients
from .spectral import dealias_mask as dealias_mask
from .spectral import etdrk4_coefficients as etdrk4_coefficients
from .spectral import etdrk4_step as etdrk4_step
from .spectral import spectral_derivative as spectral_derivative
from .spectral import wavenumbers as wavenumbers
from .time_stepping import ssp_rk2 as ssp_rk2
from .time_stepping import ssp_rk3 as ssp_rk3

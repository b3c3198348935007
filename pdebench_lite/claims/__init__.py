"""Claims that somebody makes, each with the experiment and the rule that decide it."""

from pdebench_lite.claims.claim import Claim as Claim
from pdebench_lite.claims.claim import Experiment as Experiment
from pdebench_lite.claims.claim import Part as Part
from pdebench_lite.claims.claim import verdict as verdict
from pdebench_lite.claims.evidence import Evidence as Evidence

"""`python -m pdebench_lite` is `pdebench`."""

import sys

from pdebench_lite.cli import main

sys.exit(main())

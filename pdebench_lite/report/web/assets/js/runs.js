"use strict";
/* All records, one in each row. */

report.table(report.part("runs", "table"), report.data("overview").runs, { name: "runs", swatches: true });

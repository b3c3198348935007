"""Reports on records: tables, figures, one record in full. Nothing here trains."""

-- What columns and keys came or went each day.
select distinct filename, date_partition, source, kind, name,
from schema_drift

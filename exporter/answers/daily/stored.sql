-- What each dataset takes each day.
select
    filename, dataset, date_partition, row_count, source_bytes, parquet_bytes,
from storage_daily

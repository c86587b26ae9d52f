-- Why records were rejected each day.
select filename, date_partition, dataset, reason, count(*) as records,
from rejected_records
group by all

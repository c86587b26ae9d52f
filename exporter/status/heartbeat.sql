-- The newest heartbeat, published or not: no row where there never was one.
select filename, timestamp as at, status,
from ops_atomic
where timestamp <= $as_of
order by timestamp desc, filename desc
limit 1

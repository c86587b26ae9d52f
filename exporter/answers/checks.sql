-- One row per check that counts now: its state, since when, why, and how it did.
select *
from current_checks
order by check_key != 'overall', check_key like '%/%', check_key

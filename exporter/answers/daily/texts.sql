-- The text behind each query's hash.
select filename, query_hash, query_text, last_seen,
from query_texts

{#- A timestamp lies on the day of its partition, or at most `days` off. -#}
{% test is_near_its_partition(model, column_name, days=0) %}
select
    {{ column_name }},
    date_partition,
from {{ model }}
where abs(datediff('day', date_partition, {{ column_name }})) > {{ days }}
{% endtest %}

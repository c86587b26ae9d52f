{#- A percentile between the two nearest values, as DOUBLE; over all rows of a
    group, or of the window that is given. -#}
{%- macro quantile(value, fraction, over=none) -%}
{{ adapter.dispatch('quantile', 'ops_atomic')(value, fraction, over) }}
{%- endmacro -%}

{%- macro default__quantile(value, fraction, over=none) -%}
quantile_cont(cast({{ value }} as double), {{ fraction }})
{%- if over %} over ({{ over }}){% endif %}
{%- endmacro -%}

{%- macro spark__quantile(value, fraction, over=none) -%}
percentile(cast({{ value }} as double), {{ fraction }})
{%- if over %} over ({{ over }}){% endif %}
{%- endmacro -%}


{#- The same of rows that have a `place`, from 1 on in the order of `value`, among
    `places`: where an aggregate would hold each value of all groups in memory, a
    window sorts them on the disk. -#}
{%- macro quantile_of_places(value, place, places, fraction) -%}
{%- set before -%}
cast({{ fraction }} as double) * ({{ places }} - 1)
{%- endset -%}
sum(
    cast({{ value }} as double)
    * case {{ place }} - 1 - floor({{ before }})
        when 0 then 1 - ({{ before }} - floor({{ before }}))
        when 1 then {{ before }} - floor({{ before }})
        else 0e0
    end
)
{%- endmacro -%}


{%- macro median_of(value, over=none) -%}
{{ quantile(value, 0.5, over) }}
{%- endmacro -%}


{#- The last value that is not NULL, in the order of the window. -#}
{%- macro last_known(value, over) -%}
{{ adapter.dispatch('last_known', 'ops_atomic')(value, over) }}
{%- endmacro -%}

{%- macro default__last_known(value, over) -%}
last_value({{ value }} ignore nulls) over ({{ over }})
{%- endmacro -%}

{%- macro spark__last_known(value, over) -%}
last_value({{ value }}) ignore nulls over ({{ over }})
{%- endmacro -%}


{#- A sum that is the same whatever the order of the rows: DOUBLEs are added up
    from the least on. In Spark it may differ in its last digits. -#}
{%- macro ordered_sum(value) -%}
{{ adapter.dispatch('ordered_sum', 'ops_atomic')(value) }}
{%- endmacro -%}

{%- macro default__ordered_sum(value) -%}
sum({{ value }} order by {{ value }})
{%- endmacro -%}

{%- macro spark__ordered_sum(value) -%}
sum({{ value }})
{%- endmacro -%}

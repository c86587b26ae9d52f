{#- Many machines' exports and marts, on the target `fleet`. -#}

{#- An export of many machines: a view over those of their files that count, which
    the plugin has made on connecting. Its own SQL is not run. -#}
{% materialization fleet_view, adapter="duckdb" %}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        select '{{ this.identifier }}' as shown
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{#- A mart of many machines: partitions by day of which only the stale ones are
    made, or one file. -#}
{% materialization fleet_parquet, adapter="duckdb" %}
    {{ run_hooks(pre_hooks) }}

    {{ get_assert_columns_equivalent(sql) }}

    {%- if not flags.EMPTY -%}
        {% do adapter.store_relation(
            'fleet', this, [], this.identifier, 'parquet', {'sql': sql}
        ) %}
    {%- endif -%}

    {% call statement('main') -%}
        select count(*) as total_rows
        from {{ this }}
    {%- endcall %}

    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}

{#- Many machines' exports and marts, on the targets `fleet` (DuckDB) and `spark`. -#}

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


{#- On Spark a mart sees its inputs in a session of its own, as views that are made
    with it. -#}
{% materialization fleet_view, adapter="spark" %}
    {{ store_raw_result('main', 'OK', 'OK', 0) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{% materialization fleet_parquet, adapter="spark" %}
    {{ run_hooks(pre_hooks) }}
    {%- set files = 0 if flags.EMPTY else adapter.publish(this.identifier, sql) -%}
    {{ store_raw_result('main', 'OK ' ~ files ~ ' file(s)', 'OK', files) }}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}


{#- What a mart is shown of a seed is read with its other inputs. -#}
{% materialization seed, adapter="spark" %}
    {#- For `dbt seed --show`, which asks for it. -#}
    {% do store_result(
        'agate_table', response='OK', agate_table=load_agate_table()
    ) %}
    {{ store_raw_result('main', 'OK', 'OK', 0) }}
    {{ return({'relations': [this.incorporate(type='view')]}) }}
{% endmaterialization %}

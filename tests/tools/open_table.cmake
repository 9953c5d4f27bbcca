# Makes a table with replica references (the file with the most axes) and opens it elsewhere.
set(table ${FOLDER}/open_${METHOD}.h5)
execute_process(
  COMMAND ${CIMSTAT} table ${SOURCE}/experiments/configs/chen2018_9rows.toml -q -o ${table}
          --set table.method=${METHOD} --set table.trials=1000
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PYTHON} ${SOURCE}/tests/tools/open_table.py ${table} ${METHOD}
                COMMAND_ERROR_IS_FATAL ANY)

#include "core/quantile_table.h"

#include "circuits/error_table.h"

#include "circuits/exact_column.h"

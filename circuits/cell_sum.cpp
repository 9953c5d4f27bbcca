#include "circuits/cell_sum.h"

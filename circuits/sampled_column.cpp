#include "circuits/sampled_column.h"

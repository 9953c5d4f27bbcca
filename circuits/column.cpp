#include "circuits/column.h"

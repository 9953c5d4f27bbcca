#include "circuits/references.h"

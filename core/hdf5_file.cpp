#include "core/hdf5_file.h"

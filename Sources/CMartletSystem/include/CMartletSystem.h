#pragma once

#include "CMartletCrypt.h"

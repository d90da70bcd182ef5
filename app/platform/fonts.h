// The fonts that Paluku brings along, so that English and Telugu look the same on every computer.
// Interface thread, before the first window.
#pragma once

namespace paluku {

// Loads :/fonts/*.ttf, makes the Telugu font the substitute for what Noto Sans and Noto Sans Mono
// lack, and sets Noto Sans as the application's font.
void loadFonts();

}  // namespace paluku

// The models one can choose for the next answer, over the composer.
import QtQuick
import Paluku
import PalukuApp

Popover {
    id: picker

    required property LibraryController library
    signal modelsWanted()
    signal addWanted()

    padding: Theme.s4
    width: Math.min(Theme.pickerWidth, parent ? parent.width : Theme.pickerWidth)

    contentItem: ModelChoices {
        library: picker.library
        onChosen: picker.close()
        onAddWanted: {
            picker.close();
            picker.addWanted();
        }
        onModelsWanted: {
            picker.close();
            picker.modelsWanted();
        }
    }
}

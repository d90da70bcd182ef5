// The system's file dialog for a model file. It is made only when it is asked for.
// qmllint disable unqualified
import QtQuick
import QtQuick.Dialogs
import PalukuApp

Loader {
    id: loader

    required property LibraryController library

    function open(): void {
        active = true;
        (item as FileDialog).open();
    }

    active: false
    sourceComponent: FileDialog {
        title: qsTr("Add a model")
        nameFilters: [qsTr("Model files (%1)").arg("*.gguf")]
        onAccepted: loader.library.add(selectedFile)
    }
}

// What the model picker holds: the models, then the ways to more of them.
pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Templates as T
import Paluku
import PalukuApp

Column {
    id: choices

    required property LibraryController library
    signal chosen()
    signal addWanted()
    signal modelsWanted()

    ListView {
        id: list

        width: parent.width
        height: Math.min(contentHeight, Theme.pickerRows * Theme.pickerRowHeight)
        clip: true
        focus: true
        keyNavigationEnabled: true
        activeFocusOnTab: true
        boundsBehavior: Flickable.StopAtBounds
        model: choices.library.models
        T.ScrollBar.vertical: ScrollBar {}
        Accessible.role: Accessible.List
        Accessible.name: qsTr("Models")

        delegate: ModelChoice {
            width: ListView.view ? ListView.view.width : 0
            onChosen: {
                choices.library.use(modelId);
                choices.chosen();
            }
        }
    }
    Divider {
        width: parent.width
        visible: list.count > 0
    }
    ItemRow {
        width: parent.width
        iconName: "add"
        text: qsTr("Add a model…")
        onClicked: choices.addWanted()
    }
    ItemRow {
        width: parent.width
        iconName: "library"
        text: qsTr("Manage models")
        onClicked: choices.modelsWanted()
    }
}

// Takes a model file that is dropped on the window. Everything else is refused.
pragma ComponentBehavior: Bound
import QtQuick
import Paluku

DropArea {
    id: drop

    signal chosen(url file)

    keys: ["text/uri-list"]
    onEntered: event => {
        event.accepted = event.urls.length === 1 && event.urls[0].toString().toLowerCase().endsWith(".gguf");
    }
    onDropped: event => drop.chosen(event.urls[0])

    Rectangle {
        anchors.fill: parent
        visible: drop.containsDrag
        color: Qt.alpha(Theme.page, Theme.dropVeil)
        border.width: Theme.stroke
        border.color: Theme.indigo

        UiText {
            anchors.centerIn: parent
            role: Theme.heading
            color: Theme.indigo
            text: qsTr("Add the file as a model")
        }
    }
}

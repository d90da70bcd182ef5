// What can be done with the selection or the focused turn.
import QtQuick
import Paluku
import PalukuApp

Menu {
    id: menu

    required property ChatController chat
    signal copyWanted()

    MenuRow {
        iconName: "copy"
        text: qsTr("Copy")
        key: "Ctrl+C"
        onTriggered: menu.copyWanted()
    }
    MenuRow {
        iconName: "copy"
        text: qsTr("Copy the last answer")
        key: "Ctrl+Shift+C"
        onTriggered: menu.chat.copyLastAnswer()
    }
    MenuRow {
        enabled: !menu.chat.busy
        iconName: "again"
        text: qsTr("Say again")
        key: "Ctrl+R"
        onTriggered: menu.chat.regenerate()
    }
}
